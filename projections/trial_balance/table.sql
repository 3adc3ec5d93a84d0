-- What each kind of book holds now: a wallet's books summed over all accounts, and each book of the house.
create table trial_balance (
    asset  text    not null,
    book   text    not null,
    amount numeric not null,
    constraint trial_balance_has_one_sum_per_book primary key (asset, book)
);

-- The same at every position that is a multiple of a fixed step; in between, the log's own lines are added.
create table trial_balance_states (
    position bigint  not null,
    asset    text    not null,
    book     text    not null,
    amount   numeric not null,
    constraint trial_balance_state_has_one_sum_per_book primary key (position, asset, book)
);
