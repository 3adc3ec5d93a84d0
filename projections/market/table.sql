-- One row per event of @exchange: the history of every listing, limit, rate, status, and of the fund's own money.
create table market_settings (
    position     bigint      not null,
    version      bigint      not null,
    topic        text        not null,
    scope        text        not null,
    content      jsonb       not null,
    effective_at timestamptz not null,
    recorded_at  timestamptz not null,
    constraint market_setting_is_made_once primary key (position)
);

-- The price history: one row per pair and vector, and nothing else for a vector.
create table market_prices (
    pair         text        not null,
    position     bigint      not null,
    version      bigint      not null,
    price        numeric     not null,
    effective_at timestamptz not null,
    recorded_at  timestamptz not null,
    source       text        not null,
    constraint market_price_is_positive check (price > 0)
);

-- What was held of prices: one row for each that was held or rejected, the price as its event has it. What a later mark
-- of the pair ends has no row of its own: it is what is dated up to that mark.
create table market_held_prices (
    pair         text        not null,
    source       text        not null,
    position     bigint      not null,
    version      bigint      not null,
    effective_at timestamptz not null,
    recorded_at  timestamptz not null,
    is_rejected  boolean     not null,
    held         jsonb       not null
);

-- indexes
alter table market_held_prices add constraint market_price_is_held_once_per_vector primary key (pair, source, position);
alter table market_prices add constraint market_price_is_marked_once_per_vector primary key (pair, position);
create index market_settings_of_a_scope on market_settings (scope, position);
create index market_prices_by_business_time on market_prices (pair, effective_at desc, position desc);
