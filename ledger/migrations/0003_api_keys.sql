-- Keys of the HTTP doors. Only the SHA-256 of a key is kept: a key is 256 random bits, so its hash needs no salt.
create table api_keys (
    name       text        not null constraint api_keys_name_is_used_once primary key
                           constraint api_keys_name_is_an_identifier check (name ~ '^[A-Za-z0-9_.:-]{1,64}$'),
    role       text        not null constraint api_keys_role_is_known
                           check (role in ('customer', 'service', 'operator', 'auditor', 'admin')),
    account_id text,
    digest     bytea       not null constraint api_keys_digest_belongs_to_one_key unique
                           constraint api_keys_digest_is_a_sha256 check (octet_length(digest) = 32),
    created_at timestamptz not null default now(),
    revoked_at timestamptz,
    constraint api_keys_bind_customers_and_nobody_else_to_an_account check ((role = 'customer') = (account_id is not null))
);
