-- How the risk engine stands, as its leader last wrote it: for operators to look at. No rule reads it, and the engine
-- itself begins from the log and not from here.
create table risk_engine (
    is_only_row  boolean     not null default true
                             constraint risk_engine_has_one_row primary key
                             constraint risk_engine_row_is_the_only_one check (is_only_row),
    -- The log position up to which every wallet that asked for it was examined.
    position     bigint      not null,
    -- How many wallets owe.
    watched      bigint      not null,
    -- By band, how many of them asked to be examined when it last looked, those that lack a price included.
    asking       jsonb       not null,
    -- How many of these wait to be examined, and how many accounts to have their interest charged.
    waiting      bigint      not null,
    uncharged    bigint      not null,
    step_seconds double precision not null,
    stepped_at   timestamptz not null default clock_timestamp()
) with (fillfactor = 50);
