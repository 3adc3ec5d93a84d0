-- One row per posted line; a book's balance after the line stands beside it, so that a statement sums nothing.
create table journal (
    position     bigint      not null,
    line         integer     not null,
    account_id   text,
    wallet       text,
    part         text,
    book         text        not null,
    asset        text        not null,
    amount       numeric     not null,
    balance      numeric     not null,
    topic        text        not null,
    effective_at timestamptz not null,
    recorded_at  timestamptz not null,
    constraint journal_line_moves_something check (amount <> 0),
    constraint journal_wallet_belongs_to_an_account check ((account_id is null) = (wallet is null))
);

-- What each of the house's books holds now; those of accounts are in their wallets.
create table journal_house_books (
    book    text    not null,
    asset   text    not null,
    balance numeric not null,
    constraint journal_book_has_one_balance_per_asset primary key (book, asset)
);

-- indexes
alter table journal add constraint journal_line_is_posted_once primary key (position, line);
create index journal_of_an_account on journal (account_id, position, line);
create index journal_of_a_book on journal (book, asset, position, line);
