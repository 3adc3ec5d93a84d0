-- The indexes of a copy go through the log of the server whole, page by page. To compress these pages takes a third of the
-- time that it takes to make the indexes, so who makes them may leave it out. Without this right they are made all the same.
do $$
begin
    if not has_parameter_privilege('ledger_projections', 'wal_compression', 'set')
        and has_parameter_privilege(current_user, 'wal_compression', 'set with grant option') then
        grant set on parameter wal_compression to ledger_projections;
    end if;
exception when internal_error or unique_violation then
    null; -- Granted for the whole server by another database's migration at the same moment.
end;
$$;
