-- One row per liquidation; the completion is null while it runs.
create table liquidations (
    liquidation_id     text        not null,
    account_id         text        not null,
    wallet             text        not null,
    execution          text        not null,
    started_position   bigint      not null,
    started_at         timestamptz not null,
    started            jsonb       not null,
    completed_position bigint,
    completed          jsonb,
    constraint liquidation_is_started_once primary key (liquidation_id),
    constraint liquidation_is_completed_with_its_event check ((completed_position is null) = (completed is null))
);

-- What happened in a liquidation, in log order: fills, repayments and deficits. `value` is what the insurance
-- fund was asked for in the valuation asset, `uncovered` the part of it that the fund did not hold.
create table liquidation_steps (
    position       bigint  not null,
    liquidation_id text    not null,
    account_id     text    not null,
    wallet         text    not null,
    topic          text    not null,
    content        jsonb   not null,
    value          numeric not null,
    uncovered      numeric not null,
    constraint uncovered_deficit_is_part_of_its_value check (uncovered between 0 and value)
);

create table margin_calls (
    position     bigint      not null,
    account_id   text        not null,
    wallet       text        not null,
    level        text        not null,
    threshold    numeric     not null,
    assets       numeric     not null,
    debt         numeric     not null,
    tier         integer,
    prices       jsonb       not null,
    effective_at timestamptz not null,
    recorded_at  timestamptz not null
);

-- What the insurance fund holds of each asset, now and after each event; below zero is the uncovered deficit.
create table insurance (
    asset   text    not null,
    balance numeric not null,
    constraint insurance_has_one_balance_per_asset primary key (asset)
);
create table insurance_states (
    asset    text    not null,
    position bigint  not null,
    balance  numeric not null
);

-- indexes
alter table insurance_states
    add constraint insurance_has_one_balance_per_position primary key (asset, position);
alter table liquidation_steps add constraint liquidation_step_is_taken_once primary key (position);
alter table margin_calls add constraint margin_call_is_made_once primary key (position);
create index liquidations_in_log_order on liquidations (started_position);
create index liquidations_of_an_account on liquidations (account_id, started_position);
create index liquidations_that_run on liquidations (account_id, wallet) where completed_position is null;
create index liquidation_steps_of_one on liquidation_steps (liquidation_id, position);
create index deficits_in_log_order on liquidation_steps (position) where uncovered > 0;
create index margin_calls_of_an_account on margin_calls (account_id, position);
