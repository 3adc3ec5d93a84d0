-- Where each projection stands. Its tables are not made here: they are disposable, and whoever runs the projection
-- makes them in the schema `projections` from its own table.sql.

create schema projections;

create table projection_positions (
    name           text        not null
                               constraint projection_positions_has_one_row_per_projection primary key,
    -- The last event that is in the projection's tables; moved in the transaction that writes their rows.
    position       bigint      not null default 0
                               constraint projection_positions_position_is_not_negative check (position >= 0),
    -- The checksum of the table.sql that its tables were made from.
    definition     text        not null,
    -- Set while the projection stands still because an event could not be projected.
    error          text,
    error_position bigint,
    failed_at      timestamptz,
    constraint projection_positions_error_names_its_event
        check ((error is null) = (failed_at is null))
) with (fillfactor = 50);

-- Each row is a rebuilt copy that took the place of a live one. Every question holds this table in share mode while it
-- reads, and a swap takes it alone: so no question finds, under a name, tables that its snapshot knows nothing of.
create table projection_swaps (
    name        text        not null,
    position    bigint      not null,
    differences bigint      not null,
    swapped_at  timestamptz not null default now()
);
