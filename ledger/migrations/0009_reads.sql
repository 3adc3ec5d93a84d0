-- Who looked: reads of customers' data by somebody who is not that customer, apart from the events. Rows are added by the
-- doors, each before what it tells of is answered, and never changed; projections have no business with them.

create table reads (
    number         bigint      not null generated always as identity constraint reads_are_numbered_once primary key,
    read_at        timestamptz not null default clock_timestamp(),
    actor          text        not null constraint reads_actor_is_role_and_name check (actor ~ '^[a-z]+:.+$'),
    -- Why, as the reader says; null where nothing was said.
    purpose        text        constraint reads_purpose_is_short check (char_length(purpose) between 1 and 200),
    -- The route as it is documented, such as GET /v1/accounts/{account_id}, or the command of the command line.
    what           text        not null,
    -- The account that was asked about; null where none was named, as for lists over all accounts.
    account_id     text,
    parameters     jsonb       not null default '{}',
    -- The position of the log that was answered as of, the rows of a list, the HTTP status: null where there is none.
    position       bigint,
    row_count      integer,
    status         smallint,
    correlation_id text
);

-- Pages are in order of time; the number tells those of one microsecond apart.
create index reads_by_time on reads (read_at, number);
create index reads_by_account on reads (account_id, read_at, number) where account_id is not null;
create index reads_by_actor on reads (actor, read_at, number);

create trigger reads_are_never_changed
    before update or delete or truncate on reads for each statement execute function refuse_change();
alter table reads enable always trigger reads_are_never_changed;

-- 0007 lets projections read what later migrations make.
revoke all on reads from ledger_projections;
grant select, insert on reads to ledger_service;
