-- The seal of the log: a Merkle tree over the events as in RFC 6962, and checkpoints of it that are signed. All of it can be
-- computed again from the events, but for the signatures; what is stored says where an event differs from what was sealed.

-- Hashes of leaves, 32 bytes each, in the order of the log: a row has as many as were sealed at once, all of one tile,
-- which is 256 events, the first of them at a position 256 n + 1.
create table seal_leaves (
    first_position bigint not null constraint seal_leaves_are_stored_once primary key
                          constraint seal_leaves_positions_start_at_one check (first_position >= 1),
    hashes         bytea  not null constraint seal_leaves_are_of_32_bytes check (octet_length(hashes) % 32 = 0)
                          constraint seal_leaves_row_is_not_empty check (octet_length(hashes) >= 32),
    constraint seal_leaves_row_lies_in_one_tile
        check ((first_position - 1) / 256 = (first_position - 2 + octet_length(hashes) / 32) / 256)
);

-- Roots of whole subtrees of 2^height leaves, for heights 8, 16, 24 and so on; those between are computed when asked for.
create table seal_nodes (
    height smallint not null constraint seal_nodes_heights_are_multiples_of_eight check (height > 0 and height % 8 = 0),
    number bigint   not null constraint seal_nodes_are_counted_from_zero check (number >= 0),
    hash   bytea    not null constraint seal_nodes_are_of_32_bytes check (octet_length(hash) = 32),
    constraint seal_nodes_are_stored_once primary key (height, number)
);

-- `note` is the checkpoint as it was signed; the other columns are what it says, to look it up by.
create table checkpoints (
    size            bigint      not null constraint checkpoints_are_one_for_each_size primary key
                                constraint checkpoints_size_is_positive check (size > 0),
    root            bytea       not null constraint checkpoints_root_is_of_32_bytes check (octet_length(root) = 32),
    checkpointed_at timestamptz not null,
    note            text        not null
);

-- Public keys that checkpoints were ever signed with, for showing: who verifies has them from elsewhere.
create table checkpoint_keys (
    key_id     text        not null constraint checkpoint_keys_are_listed_once primary key
                           constraint checkpoint_keys_id_is_of_eight_digits check (key_id ~ '^[0-9a-f]{8}$'),
    public_key text        not null,
    added_at   timestamptz not null default now()
);

create trigger seal_leaves_are_never_changed
    before update or delete or truncate on seal_leaves for each statement execute function refuse_change();
create trigger seal_nodes_are_never_changed
    before update or delete or truncate on seal_nodes for each statement execute function refuse_change();
create trigger checkpoints_are_never_changed
    before update or delete or truncate on checkpoints for each statement execute function refuse_change();
create trigger checkpoint_keys_are_never_changed
    before update or delete or truncate on checkpoint_keys for each statement execute function refuse_change();
alter table seal_leaves enable always trigger seal_leaves_are_never_changed;
alter table seal_nodes enable always trigger seal_nodes_are_never_changed;
alter table checkpoints enable always trigger checkpoints_are_never_changed;
alter table checkpoint_keys enable always trigger checkpoint_keys_are_never_changed;

grant select on seal_leaves, seal_nodes, checkpoints, checkpoint_keys to ledger_projections;
grant insert on seal_leaves, seal_nodes, checkpoints, checkpoint_keys to ledger_service;
