-- The log: every event in the order in which it was recorded, and the keys by which a repeated request is known.
-- Positions are given under the ordering lock (ledger/storage.py), so they have no gaps and follow the order of commits.
-- The column is called notification_id because the event-sourcing library reads the log by that name.

create table events (
    notification_id    bigint      not null constraint events_position_is_taken_once primary key
                                   constraint events_positions_start_at_one check (notification_id >= 1),
    originator_version bigint      not null constraint events_versions_are_not_negative check (originator_version >= 0),
    recorded_at        timestamptz not null,
    originator_id      text        not null,
    topic              text        not null,
    state              bytea       not null,
    constraint events_version_of_a_stream_is_taken_once unique (originator_id, originator_version)
);

-- A key without content is a further key of its command (trade_id T1, deposit_id D1): it only says that it is taken.
create table idempotency_keys (
    account_id     text   not null,
    key            text   not null,
    content        json,
    first_position bigint not null constraint idempotency_keys_name_recorded_events check (first_position >= 1),
    last_position  bigint not null,
    constraint idempotency_keys_are_used_once_on_an_account primary key (account_id, key),
    constraint idempotency_keys_last_position_is_not_before_the_first check (last_position >= first_position)
);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'table % is append-only: nothing recorded is ever changed, a correction is a new event', tg_table_name
        using errcode = 'restrict_violation';
end;
$$;

create trigger events_are_never_changed
    before update or delete or truncate on events
    for each statement execute function refuse_change();

create trigger idempotency_keys_are_never_changed
    before update or delete or truncate on idempotency_keys
    for each statement execute function refuse_change();
