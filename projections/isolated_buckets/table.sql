-- Each isolated bucket as a whole: as it is, and as every event left it.

create table isolated_buckets (
    account_id     text        not null,
    pair           text        not null,
    position       bigint      not null,
    base_free      numeric     not null,
    base_locked    numeric     not null,
    base_borrowed  numeric     not null,
    base_interest  numeric     not null,
    quote_free     numeric     not null,
    quote_locked   numeric     not null,
    quote_borrowed numeric     not null,
    quote_interest numeric     not null,
    -- The pair's margin mode, `cross` or `isolated`; leverage is null until one is set: the pair's own maximum.
    mode           text        not null,
    leverage       numeric,
    -- The risk tier that the last decision on the bucket used, from 1.
    tier           integer,
    -- The liquidation that runs, null where none does.
    liquidation_id text,
    -- Business time and recorded level of the last margin call.
    called_at      timestamptz,
    called_level   text,
    constraint isolated_buckets_has_one_row_per_bucket primary key (account_id, pair)
) with (fillfactor = 70);

create table isolated_bucket_states (
    account_id     text        not null,
    pair           text        not null,
    position       bigint      not null,
    base_free      numeric     not null,
    base_locked    numeric     not null,
    base_borrowed  numeric     not null,
    base_interest  numeric     not null,
    quote_free     numeric     not null,
    quote_locked   numeric     not null,
    quote_borrowed numeric     not null,
    quote_interest numeric     not null,
    mode           text        not null,
    leverage       numeric,
    tier           integer,
    liquidation_id text,
    called_at      timestamptz,
    called_level   text
);

-- indexes

alter table isolated_bucket_states
    add constraint isolated_bucket_states_has_one_row_per_change primary key (account_id, pair, position);
create index isolated_buckets_by_pair on isolated_buckets (pair, account_id);
create index isolated_buckets_that_owe on isolated_buckets (account_id, pair)
    where base_borrowed + base_interest + quote_borrowed + quote_interest > 0;
