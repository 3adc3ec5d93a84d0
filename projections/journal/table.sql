-- One row per posted line; a book's balance after the line stands beside it, so that a statement sums nothing.
create table journal (
    position     bigint      not null,
    line         integer     not null,
    -- A book of an account is named by its id, the wallet and the part; one of the house by its own name.
    account_id   text,
    wallet       text,
    part         text,
    house_book   text,
    asset        text        not null,
    amount       numeric     not null,
    balance      numeric     not null,
    topic        text        not null,
    effective_at timestamptz not null,
    recorded_at  timestamptz not null,
    constraint journal_line_moves_something check (amount <> 0),
    constraint journal_book_is_of_an_account_or_of_the_house check ((account_id is null) = (house_book is not null)),
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
create index journal_of_an_account on journal (account_id, position, line) where account_id is not null;
create index journal_of_an_asset on journal (account_id, asset, position, line) where account_id is not null;
create index journal_of_the_house on journal (house_book, asset, position, line) where house_book is not null;
