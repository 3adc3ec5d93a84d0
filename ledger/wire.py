"""Statements sent to the server without waiting for its answers, by libpq itself: the driver's own pipeline takes as
long for one batch as ten decisions do."""

from collections.abc import Sequence
from select import POLLIN, POLLOUT, poll
from typing import Any, NamedTuple

import psycopg
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult

from ledger.arrays import Parameter

Row = tuple[Any, ...]


class Statement(NamedTuple):
    """A statement that a connection prepares under a name; `kinds` are those of its parameters $1, $2 and so on."""

    name: str
    query: str
    kinds: tuple[type[Parameter], ...]


class Call(NamedTuple):
    """A statement with its parameters."""

    statement: Statement
    parameters: Sequence[Parameter]


class Wire:
    """A connection's way for prepared statements; who sends on it takes the answers before anything else is done."""

    def __init__(self, connection: psycopg.Connection[Any], *statements: Statement) -> None:
        self._connection = connection
        for statement in statements:
            oids = [kind.oid for kind in statement.kinds]
            _require_good(connection.pgconn.prepare(statement.name.encode(), statement.query.encode(), oids))

    def send(self, *calls: Call) -> "Answers":
        """Have statements executed, in one transaction unless one is open; returns when the last byte has left."""
        libpq = self._connection.pgconn
        libpq.enter_pipeline_mode()
        for statement, parameters in calls:
            formats = [Format.BINARY] * len(parameters)
            libpq.send_query_prepared(statement.name.encode(), parameters, formats, Format.BINARY)
        libpq.pipeline_sync()
        while libpq.flush():
            _wait_for(libpq, POLLOUT | POLLIN)
            libpq.consume_input()
        return Answers(self._connection, len(calls))


class Answers:
    """What the server will answer to the statements that were sent."""

    def __init__(self, connection: psycopg.Connection[Any], statements: int) -> None:
        self._connection = connection
        self._statements = statements

    def take(self) -> list[list[Row]]:
        """The rows of each statement, once all have come; raises psycopg.Error if one failed, and none took place."""
        libpq = self._connection.pgconn
        results = [_next_result(libpq) for _ in range(self._statements)]
        synchronised = _next_result(libpq, is_last=True)
        libpq.exit_pipeline_mode()
        for result in (*results, synchronised):
            _require_good(result)
        return [_rows(self._connection, result) for result in results]


def execute(connection: psycopg.Connection[Any], call: Call) -> list[Row]:
    """Execute a statement that is not prepared, and return the rows that it answers with."""
    (statement, parameters), oids = call, [kind.oid for kind in call.statement.kinds]
    formats = [Format.BINARY] * len(parameters)
    result = connection.pgconn.exec_params(statement.query.encode(), parameters, oids, formats, Format.BINARY)
    _require_good(result)
    return _rows(connection, result)


def _rows(connection: psycopg.Connection[Any], result: PGresult) -> list[Row]:
    """The rows of a result in binary form."""
    if not result.ntuples:
        return []
    transformer = Transformer(connection)
    transformer.set_pgresult(result, format=Format.BINARY)
    return transformer.load_rows(0, result.ntuples, tuple)


def _next_result(libpq: PGconn, *, is_last: bool = False) -> PGresult:
    while libpq.is_busy():
        _wait_for(libpq, POLLIN)
        libpq.consume_input()
    result = libpq.get_result()
    if result is None:
        raise psycopg.OperationalError("the server ended the connection")
    if not is_last:
        # Between the results of two statements there is an empty one.
        libpq.get_result()
    return result


def _wait_for(libpq: PGconn, events: int) -> None:
    waiting = poll()
    waiting.register(libpq.socket, events)
    waiting.poll()


def _require_good(result: PGresult) -> None:
    """Raise the error that a result is, if it is one."""
    if result.status in (ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED):
        error = error_from_result(result)
        if error.sqlstate is None:
            # Not the server says so, but libpq: there is no server any more.
            raise psycopg.OperationalError(str(error))
        raise error


DEFINITE = ("22", "23", "25", "40", "42", "55", "P0")
"""Classes of errors that the server finds while a statement is executed, never while or after it commits."""


def is_definite(error: psycopg.Error) -> bool:
    """Whether an error says for certain that its transaction did not take place."""
    return error.sqlstate is not None and error.sqlstate.startswith(DEFINITE)
