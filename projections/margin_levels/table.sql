-- Each margin wallet now: its balances by asset (free, locked, borrowed, interest, first uncharged hour), and what
-- events set of it. No price is kept here: a level is computed from these and the prices when it is asked for.
create table margin_wallets (
    account_id     text    not null,
    wallet         text    not null,
    position       bigint  not null,
    owes           boolean not null,
    leverage       numeric,
    liquidation_id text,
    called_at      timestamptz,
    balances       jsonb   not null,
    constraint margin_wallet_is_one_per_account_and_name primary key (account_id, wallet)
) with (fillfactor = 70);

-- The same after every event of a wallet that owes, and after the one by which it owes no more.
create table margin_wallet_states (
    account_id     text    not null,
    wallet         text    not null,
    position       bigint  not null,
    owes           boolean not null,
    leverage       numeric,
    liquidation_id text,
    called_at      timestamptz,
    balances       jsonb   not null
);

-- The levels before and after each decision that assessed one: CML in the cross pool, ML in a bucket.
create table margin_assessments (
    position     bigint      not null,
    account_id   text        not null,
    wallet       text        not null,
    topic        text        not null,
    level_before text,
    level_after  text,
    tier         integer,
    effective_at timestamptz not null
);

-- indexes
alter table margin_wallet_states
    add constraint margin_wallet_has_one_state_per_position primary key (account_id, wallet, position);
alter table margin_assessments
    add constraint margin_level_is_assessed_once_per_event_and_wallet primary key (position, wallet);
create index margin_wallets_that_owe on margin_wallets (account_id, wallet) where owes;
create index margin_wallets_by_last_change on margin_wallets (position);
create index margin_assessments_of_an_account on margin_assessments (account_id, position, wallet);
