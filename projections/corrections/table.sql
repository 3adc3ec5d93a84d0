-- One row per reversal, with the event that it reversed.
create table reversals (
    account_id        text        not null,
    reversed_version  bigint      not null,
    reversed_topic    text        not null,
    -- Where the reversed event stands in the log.
    reversed_position bigint,
    version           bigint      not null,
    position          bigint      not null,
    effective_at      timestamptz not null,
    constraint reversals_has_one_row_per_reversal primary key (position)
);

-- One row per adjustment.
create table adjustments (
    account_id        text        not null,
    adjustment_id     text        not null,
    wallet            text        not null,
    asset             text        not null,
    amount            numeric     not null,
    reason_code       text        not null,
    reason            text,
    proposed_by       text        not null,
    proposed_position bigint      not null,
    proposed_at       timestamptz not null,
    -- How, when and by whom it was decided on: `posted` or `rejected`; all null while it is pending.
    decided_as        text,
    decided_by        text,
    decided_position  bigint,
    decided_at        timestamptz,
    constraint adjustments_has_one_row_per_adjustment primary key (account_id, adjustment_id),
    constraint adjustments_are_decided_on_by_another_actor check (decided_by <> proposed_by)
);

-- indexes

alter table reversals add constraint reversals_reverse_an_event_once unique (account_id, reversed_version);
create index reversals_by_what_they_reversed on reversals (reversed_position);
create index adjustments_in_order_of_proposal on adjustments (proposed_position);
create index adjustments_of_an_account on adjustments (account_id, proposed_position);
create index adjustments_by_where_they_were_posted on adjustments (decided_position) where decided_as = 'posted';
create index adjustments_that_are_pending on adjustments (proposed_position) where decided_as is null;
