-- One row per event; its body is read from the log itself.
create table audit_trail (
    position       bigint      not null,
    account_id     text        not null,
    version        bigint      not null,
    topic          text        not null,
    actor          text        not null,
    correlation_id text        not null,
    effective_at   timestamptz not null,
    recorded_at    timestamptz not null,
    -- The latest business time up to this event, and how late it was entered, 0 where it was not (projections/dating.py).
    -- Prices count by themselves: they are marked on and on, while a history of accounts may be brought in.
    dated_to       timestamptz not null,
    lateness       smallint    not null
);

-- indexes
alter table audit_trail add constraint audit_trail_has_each_event_once primary key (position);
create index audit_trail_of_an_account on audit_trail (account_id, position);
create index audit_trail_of_an_account_and_topic on audit_trail (account_id, topic, position);
create index audit_trail_of_a_topic on audit_trail (topic, position);
create index audit_trail_of_an_actor on audit_trail (actor, position);
create index audit_trail_of_an_actor_and_topic on audit_trail (actor, topic, position);
create index audit_trail_of_a_request on audit_trail (correlation_id, position);
create index audit_trail_by_date on audit_trail (dated_to, position) where account_id <> '@prices';
create index audit_trail_of_prices_by_date on audit_trail (dated_to, position) where account_id = '@prices';
create index audit_trail_entered_late on audit_trail (lateness, effective_at) where lateness > 0;
