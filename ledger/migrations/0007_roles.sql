-- What each part of the service may do. Whoever migrates owns the tables; the service works as one of two roles that own
-- none of the log: ledger_service adds to it, ledger_projections reads it and has tables of its own beside it.
-- Roles belong to the whole server, so another database's migration may have made them already.

do $$
begin
    begin
        if to_regrole('ledger_projections') is null then
            create role ledger_projections nologin;
        end if;
        if to_regrole('ledger_service') is null then
            create role ledger_service nologin;
        end if;
    exception when duplicate_object or unique_violation then
        null; -- Made by another migration at the same moment.
    end;
    if not pg_has_role('ledger_service', 'ledger_projections', 'member') then
        grant ledger_projections to ledger_service;
    end if;
    if not pg_has_role('ledger_service', 'member') then
        execute format('grant ledger_service to %I', current_user);
    end if;
exception when insufficient_privilege then
    raise exception 'user % may not make the roles that the ledger works as', current_user
        using errcode = 'insufficient_privilege',
              hint = format('have an administrator run: create role ledger_projections nologin; '
                  'create role ledger_service nologin; grant ledger_projections to ledger_service; '
                  'grant ledger_service to %I; leave out what is there, and migrate again', current_user);
end;
$$;

-- Reading is for both: ledger_service has all that ledger_projections has.
grant select on events, idempotency_keys, snapshots, risk_engine, schema_migrations to ledger_projections;
grant insert on events, idempotency_keys to ledger_service;
grant insert, update, delete on snapshots, risk_engine to ledger_service;
grant select, insert, update (revoked_at) on api_keys to ledger_service;
grant select, insert, update, delete on projection_positions, projection_swaps to ledger_projections;
-- What later migrations make can be read and added to; what may be changed in it they say themselves.
alter default privileges in schema public grant select on tables to ledger_projections;
alter default privileges in schema public grant insert on tables to ledger_service;

-- The tables of projections belong to who makes, swaps and drops them; those that are there already are handed over.
grant usage, create on schema projections to ledger_projections;
do $$
declare
    found regclass;
begin
    for found in select oid from pg_class where relnamespace = 'projections'::regnamespace and relkind = 'r' loop
        execute format('alter table %s owner to ledger_projections', found);
    end loop;
end;
$$;

-- Copies of projections stand in schemas of their own. To make schemas is the right of a database's owner, who lends it
-- for this: the right itself is lost where a database is copied.
create function make_schema_of_copy(name text) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if name !~ '^[a-z]+_[a-z_]{1,50}$' or name like 'pg\_%' then
        raise exception 'schema % is not named as copies of projections are, such as rebuild_balances', name
            using errcode = 'invalid_schema_name';
    end if;
    execute format('create schema %I authorization ledger_projections', name);
end;
$$;
revoke execute on function make_schema_of_copy(text) from public;
grant execute on function make_schema_of_copy(text) to ledger_projections;

-- What a killed rebuild left belongs to who migrates, and could be dropped by nobody else.
do $$
declare
    found text;
begin
    for found in select nspname from pg_namespace where nspname ~ '^(rebuild|verify)_' loop
        execute format('drop schema %I cascade', found);
    end loop;
end;
$$;

-- Triggers that fire also where a session calls itself a replica, which a superuser's may.
alter table events enable always trigger events_are_never_changed;
alter table idempotency_keys enable always trigger idempotency_keys_are_never_changed;
