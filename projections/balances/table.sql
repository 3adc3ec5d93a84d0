-- What each wallet has and owes of each asset: as it is, and as every event left it.

create table balances (
    account_id text        not null,
    wallet     text        not null,
    asset      text        not null,
    -- The event that left this state.
    position   bigint      not null,
    free       numeric     not null,
    locked     numeric     not null,
    borrowed   numeric     not null,
    interest   numeric     not null,
    -- The first clock hour of the debt that is not charged yet; null where nothing is owed.
    next_hour  timestamptz,
    constraint balances_has_one_row_per_wallet_and_asset primary key (account_id, wallet, asset)
) with (fillfactor = 70);

create table balance_states (
    account_id text        not null,
    wallet     text        not null,
    asset      text        not null,
    position   bigint      not null,
    free       numeric     not null,
    locked     numeric     not null,
    borrowed   numeric     not null,
    interest   numeric     not null,
    next_hour  timestamptz
);

-- indexes

alter table balance_states
    add constraint balance_states_has_one_row_per_change primary key (account_id, wallet, asset, position);
