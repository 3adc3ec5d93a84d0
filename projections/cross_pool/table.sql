-- The cross pool of each account as a whole: as it is, and as every event that changed it left it.

create table cross_pool (
    account_id     text        not null,
    position       bigint      not null,
    -- Null until one is set: the pool's start leverage.
    leverage       numeric,
    -- The assets that are owed, in order.
    owes           jsonb       not null,
    -- The liquidation that runs, null where none does.
    liquidation_id text,
    -- Business time and recorded level of the last margin call.
    called_at      timestamptz,
    called_level   text,
    constraint cross_pool_has_one_row_per_account primary key (account_id)
) with (fillfactor = 70);

create table cross_pool_states (
    account_id     text        not null,
    position       bigint      not null,
    leverage       numeric,
    owes           jsonb       not null,
    liquidation_id text,
    called_at      timestamptz,
    called_level   text
);

-- indexes

alter table cross_pool_states
    add constraint cross_pool_states_has_one_row_per_change primary key (account_id, position);
create index cross_pool_that_owes on cross_pool (account_id) where owes <> '[]';
