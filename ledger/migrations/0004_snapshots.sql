-- What the events of a stream left, so that a long stream need not be folded from its first event. Disposable: made by
-- the write side from what it has in memory, used only by the very rules that made it, compared by `ledger verify`.
create table snapshots (
    stream   text        not null constraint snapshots_has_one_row_for_each_stream primary key,
    version  bigint      not null constraint snapshots_version_is_positive check (version > 0),
    -- The log position as of which the stream was at this version.
    position bigint      not null constraint snapshots_position_is_positive check (position > 0),
    -- The SHA-256 of the event at that position, so that a snapshot of a log that was replaced is known for what it is.
    anchor   bytea       not null,
    -- The SHA-256 of the rules that folded it.
    rules    text        not null,
    state    bytea       not null,
    made_at  timestamptz not null default now()
);
