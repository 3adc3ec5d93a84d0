-- Verification holds the keys of texts against the log: it sees which there are and which were destroyed, and never a key.
grant select (id, account_id, generation, destroyed_at) on text_keys to ledger_projections;

-- An archive has no keys, so texts of a log that was restored from one are sealed under keys that are missing here, up to
-- the position that is stated.
create table restorations (
    last_position bigint      not null constraint restorations_end_at_an_event check (last_position > 0)
                              constraint restorations_are_named_by_their_end primary key,
    restored_at   timestamptz not null default now()
);
