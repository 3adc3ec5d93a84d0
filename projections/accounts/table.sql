-- Accounts as they are, and as every event that changed them left them; their versions, holds and withdrawals.

create table accounts (
    account_id      text        not null,
    -- The event that left this state, and its version; later events may have moved the version alone.
    position        bigint      not null,
    version         bigint      not null,
    status          text        not null,
    -- What the account may not do, in order.
    blocks          jsonb       not null,
    -- Margin modes by pair, leverages and business times of the last margin call by wallet; absent is as at the start.
    modes           jsonb       not null,
    leverages       jsonb       not null,
    called_at       jsonb       not null,
    opened_position bigint      not null,
    opened_at       timestamptz not null,
    constraint accounts_has_one_row_per_account primary key (account_id)
) with (fillfactor = 70);

-- The latest business time of an account's events, and whether one of those whose order counts was entered late.
create table account_dates (
    account_id text        not null,
    dated_to   timestamptz not null,
    disordered boolean     not null,
    constraint account_dates_has_one_row_per_account primary key (account_id)
) with (fillfactor = 70);

create table account_states (
    account_id text   not null,
    position   bigint not null,
    version    bigint not null,
    status     text   not null,
    blocks     jsonb  not null,
    modes      jsonb  not null,
    leverages  jsonb  not null,
    called_at  jsonb  not null
);

-- Which event of the log is which version of an account, and when it counts (projections/dating.py).
create table account_versions (
    account_id   text        not null,
    position     bigint      not null,
    version      bigint      not null,
    effective_at timestamptz not null,
    -- The latest business time up to this event; how late it was entered, 0 where it was not.
    dated_to     timestamptz not null,
    lateness     smallint    not null,
    -- Whether its order among other events counts: all but what only adds to spot or takes from it.
    ordered      boolean     not null,
    -- Whether, up to this event, one of those whose order counts was entered late.
    disordered   boolean     not null
);
-- Also a copy that is being rebuilt looks for what was entered late, which is little.
create index account_versions_entered_late on account_versions (account_id, lateness, effective_at) where lateness > 0;

-- What the events of an account that were known at a position and are dated up to a time made of it, folded by date. Kept
-- every so many events since the order of an account's events is not that of their dates.
create table account_folds (
    account_id text        not null,
    dated_to   timestamptz not null,
    position   bigint      not null,
    -- The last version with which all are dated up to that time.
    version    bigint      not null,
    -- The first event that was entered later and belongs before: from there on this is not what counts at the time.
    valid_to   bigint,
    state      jsonb       not null,
    constraint account_folds_has_one_row_per_time_and_position primary key (account_id, dated_to, position)
);

-- The last state of each hold; one that was released or used up has amount 0.
create table holds (
    account_id  text        not null,
    hold_id     text        not null,
    position    bigint      not null,
    wallet      text        not null,
    asset       text        not null,
    amount      numeric     not null,
    constraint holds_has_one_row_per_hold primary key (account_id, hold_id)
) with (fillfactor = 70);

create table hold_states (
    account_id  text        not null,
    hold_id     text        not null,
    position    bigint      not null,
    wallet      text        not null,
    asset       text        not null,
    amount      numeric     not null,
    -- Of the state that a placement left; the later states of that hold have none.
    placed_at   timestamptz
);

create table withdrawals (
    account_id         text        not null,
    withdrawal_id      text        not null,
    asset              text        not null,
    amount             numeric     not null,
    requested_position bigint      not null,
    requested_at       timestamptz not null,
    -- How and when it ended: `settled` or `cancelled`; all null while it is pending.
    ended_as           text,
    ended_position     bigint,
    ended_at           timestamptz,
    reference          text,
    constraint withdrawals_has_one_row_per_withdrawal primary key (account_id, withdrawal_id)
) with (fillfactor = 70);

-- indexes

alter table account_states
    add constraint account_states_has_one_row_per_change primary key (account_id, position);
alter table account_versions
    add constraint account_versions_has_one_row_per_event primary key (account_id, position);
alter table hold_states
    add constraint hold_states_has_one_row_per_change primary key (account_id, hold_id, position);
create index account_versions_by_date on account_versions (account_id, dated_to, position);
create index account_versions_out_of_order on account_versions (account_id, position) where lateness > 0 and ordered;
create index accounts_by_status on accounts (status, account_id);
create index withdrawals_by_request on withdrawals (requested_position);
create index withdrawals_by_end on withdrawals (ended_position, requested_position);
create index holds_that_are_open on holds (account_id, hold_id) where amount > 0;
create index holds_by_last_change on holds (position);
