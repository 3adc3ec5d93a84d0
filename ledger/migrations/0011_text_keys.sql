-- Keys of the texts that may hold personal data (reasons and references of accounts): random, wrapped under the privacy
-- key, which is in a file outside the database. Unlike the log a key may be destroyed, and what it sealed is unreadable.

-- Which privacy key all of them are wrapped under; the id tells nothing of it.
create table privacy_key (
    id       text    not null constraint privacy_key_id_is_of_sixteen_digits check (id ~ '^[0-9a-f]{16}$'),
    only_one boolean not null default true constraint privacy_key_is_only_one primary key
                     constraint privacy_key_has_no_other check (only_one)
);

-- `generation` is how many erasures of the account were recorded before the key was needed.
create table text_keys (
    id           text        not null constraint text_keys_id_is_given_once primary key,
    account_id   text        not null,
    generation   integer     not null constraint text_keys_generation_is_not_negative check (generation >= 0),
    wrapped      bytea,
    made_at      timestamptz not null default now(),
    destroyed_at timestamptz,
    constraint text_keys_are_one_for_each_generation unique (account_id, generation),
    constraint text_keys_are_there_until_destroyed check ((wrapped is null) = (destroyed_at is not null))
);

-- A key is destroyed in the very transaction that records the erasure: whoever is killed leaves both or neither.
create function destroy_text_keys() returns trigger language plpgsql as $$
begin
    update public.text_keys set wrapped = null, destroyed_at = new.recorded_at
    where account_id = new.originator_id and wrapped is not null
      and generation < (convert_from(new.state, 'UTF8')::json ->> 'erasure')::integer;
    return null;
end;
$$;
create trigger erasures_destroy_text_keys
    after insert on events for each row when (new.topic = 'texts.erased') execute function destroy_text_keys();
alter table events enable always trigger erasures_destroy_text_keys;

create function refuse_revival() returns trigger language plpgsql as $$
begin
    raise exception 'key % of texts of account % was destroyed, and stays so', old.id, old.account_id
        using errcode = 'restrict_violation';
end;
$$;
create trigger destroyed_text_keys_stay_so
    before update on text_keys for each row when (old.wrapped is null) execute function refuse_revival();
alter table text_keys enable always trigger destroyed_text_keys_stay_so;

-- Projections keep texts as they are sealed, and need no key.
revoke select on privacy_key, text_keys from ledger_projections;
grant select, insert, update (id) on privacy_key to ledger_service;
grant select, insert, update (wrapped, destroyed_at) on text_keys to ledger_service;
