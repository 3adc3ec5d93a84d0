-- What is owed to customers at a checkpoint, published: for each asset a Merkle sum tree over the balances of all accounts and
-- one over their loans. What is told to everybody is the signed note; a customer's path is read from leaves and nodes.

-- `note` is the publication as it was signed. `secret_id` tells which secret salted the ids of its leaves, and nothing of it.
create table liabilities (
    size         bigint      not null constraint liabilities_are_published_once_a_checkpoint primary key
                             constraint liabilities_size_is_positive check (size > 0),
    note         text        not null,
    secret_id    text        not null,
    published_at timestamptz not null default now()
);

-- Leaves in the order of their ids, 64 bytes each: the salted id, and the amount as an unsigned number of 256 bits, big-endian, in
-- units of 10^-18 of the asset. A row is a tile of 256 leaves, the last of a tree one of fewer.
create table liability_leaves (
    size     bigint not null,
    kind     text   not null constraint liability_leaves_are_of_balances_or_loans check (kind in ('balances', 'loans')),
    asset    text   not null,
    number   bigint not null constraint liability_leaves_are_counted_from_zero check (number >= 0),
    leaves   bytea  not null constraint liability_leaves_are_of_64_bytes
                    check (octet_length(leaves) % 64 = 0 and octet_length(leaves) between 64 and 64 * 256),
    first_id bytea  not null generated always as (substring(leaves from 1 for 32)) stored,
    constraint liability_leaves_are_stored_once primary key (size, kind, asset, number),
    constraint liability_leaves_are_found_by_id unique (size, kind, asset, first_id)
);

-- Nodes over whole subtrees of 2^height leaves, from tiles upward: a hash of 32 bytes and a sum of 256 bits. Those below are computed.
create table liability_nodes (
    size   bigint   not null,
    kind   text     not null,
    asset  text     not null,
    height smallint not null constraint liability_nodes_stand_over_tiles check (height >= 8),
    number bigint   not null constraint liability_nodes_are_counted_from_zero check (number >= 0),
    node   bytea    not null constraint liability_nodes_are_of_64_bytes check (octet_length(node) = 64),
    constraint liability_nodes_are_stored_once primary key (size, kind, asset, height, number)
);

create trigger liabilities_are_never_changed
    before update or delete or truncate on liabilities for each statement execute function refuse_change();
create trigger liability_leaves_are_never_changed
    before update or delete or truncate on liability_leaves for each statement execute function refuse_change();
create trigger liability_nodes_are_never_changed
    before update or delete or truncate on liability_nodes for each statement execute function refuse_change();
alter table liabilities enable always trigger liabilities_are_never_changed;
alter table liability_leaves enable always trigger liability_leaves_are_never_changed;
alter table liability_nodes enable always trigger liability_nodes_are_never_changed;

grant select on liabilities, liability_leaves, liability_nodes to ledger_projections;
grant insert on liabilities, liability_leaves, liability_nodes to ledger_service;
