-- What a wallet owes of an asset now; a debt that was repaid stays as a row of zeros.
create table loans (
    account_id text    not null,
    wallet     text    not null,
    asset      text    not null,
    position   bigint  not null,
    principal  numeric not null,
    interest   numeric not null,
    next_hour  timestamptz,
    charged    numeric not null,
    constraint loan_is_one_per_wallet_and_asset primary key (account_id, wallet, asset),
    constraint loan_is_never_negative check (principal >= 0 and interest >= 0)
);

-- The same after every event that changed it.
create table loan_states (
    account_id text    not null,
    wallet     text    not null,
    asset      text    not null,
    position   bigint  not null,
    principal  numeric not null,
    interest   numeric not null,
    next_hour  timestamptz,
    charged    numeric not null
);

-- indexes
alter table loan_states
    add constraint loan_has_one_state_per_position primary key (account_id, wallet, asset, position);
create index loans_that_are_open on loans (account_id, wallet, asset) where principal > 0 or interest > 0;
create index loans_by_last_change on loans (position);
