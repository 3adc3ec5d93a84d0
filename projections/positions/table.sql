-- The position of each margin wallet in each pair: as it is, and as every event left it.

create table positions (
    account_id      text    not null,
    wallet          text    not null,
    pair            text    not null,
    position        bigint  not null,
    -- Signed, in the base asset; what it cost is in the quote asset and signed alike.
    quantity        numeric not null,
    cost            numeric not null,
    realised_profit numeric not null,
    constraint positions_has_one_row_per_wallet_and_pair primary key (account_id, wallet, pair)
) with (fillfactor = 70);

create table position_states (
    account_id      text    not null,
    wallet          text    not null,
    pair            text    not null,
    position        bigint  not null,
    quantity        numeric not null,
    cost            numeric not null,
    realised_profit numeric not null
);

-- indexes

alter table position_states
    add constraint position_states_has_one_row_per_change primary key (account_id, wallet, pair, position);
create index positions_that_are_open on positions (pair, account_id) where quantity <> 0;
