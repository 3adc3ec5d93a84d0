-- One batch into the log: under the ordering lock, all of it or, where the log does not end where its writer had read to,
-- nothing. Each statement of a volatile function sees what was committed before it began, so that the end is seen
-- after the lock is held; that is so at read committed only.
create function record_batch(
    ordering_lock bigint, read_to bigint,
    originator_ids text[], versions bigint[], topics text[], states bytea[],
    account_ids text[], keys text[], contents text[], first_positions bigint[], last_positions bigint[]
) returns boolean language plpgsql volatile as $$
declare
    log_end bigint;
    last_recorded_at timestamptz;
    next_recorded_at timestamptz;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'a batch is recorded at isolation level read committed, not %',
            current_setting('transaction_isolation') using errcode = 'active_sql_transaction';
    end if;
    perform pg_advisory_xact_lock(ordering_lock);
    select notification_id, recorded_at into log_end, last_recorded_at
        from events order by notification_id desc limit 1;
    if coalesce(log_end, 0) <> read_to then
        return false;
    end if;
    next_recorded_at := greatest(last_recorded_at, clock_timestamp());
    insert into events (notification_id, recorded_at, originator_id, originator_version, topic, state)
        select read_to + place, next_recorded_at, originator_id, originator_version, topic, state
        from unnest(originator_ids, versions, topics, states)
            with ordinality as event (originator_id, originator_version, topic, state, place);
    insert into idempotency_keys (account_id, key, content, first_position, last_position)
        select account_id, key, content::json, first_position, last_position
        from unnest(account_ids, keys, contents, first_positions, last_positions)
            as claim (account_id, key, content, first_position, last_position);
    perform pg_notify('ledger_events', (read_to + cardinality(originator_ids))::text);
    return true;
end;
$$;
