"""Where reads of customers' data are noticed: nothing of their answers goes out before their line is in the log."""

import logging
from typing import Annotated

from fastapi import Header, Query, Request
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.asking import PURPOSE_PARAMETER, AnyCaller
from api.doors import correlation_id_of, doors_of
from api.problems import Forbidden, ServerFailed, answer_problem, status_of
from api.reads.log import ReadLog
from api.reads.purpose import purpose_in
from api.reads.read import Read, account_in, begin
from api.roles import Caller, Role
from api.streams.starting import LAST_EVENT_ID
from ledger.errors import Malformed, Unavailable

PURPOSE_HEADER = "X-Purpose"
REFUSED_ANOTHERS, FAILED = status_of(Forbidden), status_of(ServerFailed)

_MARKET = "the market is the same for all, and says nothing of any customer"
_SEAL = "a checkpoint is made of hashes, and says nothing of any customer"
_CHANGE = "it changes something and reads nothing of customers"
NOT_LOGGED = {
    "GET /v1/market": _MARKET,
    "GET /v1/market/prices": _MARKET,
    "GET /v1/market/settings": _MARKET,
    "GET /v1/checkpoints": _SEAL,
    "GET /v1/checkpoints/latest": _SEAL,
    "GET /v1/checkpoints/keys": _SEAL,
    "GET /v1/checkpoints/consistency": _SEAL,
    "GET /v1/checkpoints/{size}": _SEAL,
    "POST /v1/keys": _CHANGE,
    "DELETE /v1/keys/{name}": _CHANGE,
}
"""What is asked with a key, or changed, and is not logged, and why; every other question is."""

logger = logging.getLogger("ledger.api")


class PurposeMissing(Malformed):
    code, title = "purpose_missing", "The question does not say why it is asked"


class ReadNotLogged(Unavailable):
    code, title = "read_not_logged", "The read could not be logged, so it is not answered"


async def notice(
    request: Request,
    caller: AnyCaller,
    header: Annotated[
        str | None, Header(alias=PURPOSE_HEADER, description="Why customers' data is read; the log of reads keeps it.")
    ] = None,
    parameter: Annotated[
        str | None, Query(alias=PURPOSE_PARAMETER, description="The same, where no header can be stated.")
    ] = None,
) -> None:
    """Takes down what is read, unless it is nobody's; refuses with PurposeMissing where a purpose is asked of all."""
    what = f"{request.method} {request.scope['route'].path_format}"
    if what in NOT_LOGGED:
        return
    purpose = purpose_of(header, parameter)
    read = Read(caller.actor, what, purpose, account_named(request), _parameters(request), correlation_id_of(request))
    request.state.read = read
    begin(read)
    if purpose is None and caller.role is not Role.CUSTOMER and doors_of(request).reads.purpose_required:
        raise purpose_missing(caller, f"the header {PURPOSE_HEADER} or the parameter {PURPOSE_PARAMETER}")


def purpose_missing(caller: Caller, where: str) -> PurposeMissing:
    """The refusal of who does not say why; `where` is where it is said."""
    return PurposeMissing(
        f"a key of role {caller.role} reads customers' data without saying why; state it in {where}, such as "
        "`ticket 4711`"
    )


def purpose_of(header: str | None, parameter: str | None) -> str | None:
    """The purpose that is stated in one of two places; Malformed where it is in both."""
    if header is not None and parameter is not None:
        raise Malformed(f"the purpose is stated by {PURPOSE_HEADER} and by {PURPOSE_PARAMETER}; state one of them")
    return purpose_in(parameter if header is None else _as_sent(header))


def _as_sent(header: str) -> str:
    """A header is handed on as Latin-1, though most clients write UTF-8."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeDecodeError:
        return header


def account_named(request: HTTPConnection) -> str | None:
    """The account that a question names, in its path or its parameters, by itself or in the name of a thing of its."""
    path, query = request.path_params, request.query_params
    named = path.get("account_id") or query.get("account_id")
    if named is None and "liquidation_id" in path:
        named = path["liquidation_id"].rpartition(".")[0]
    if named is None and query.get("book", "").startswith("account/"):
        named = query["book"].split("/")[1]
    return account_in(named)


def _parameters(request: HTTPConnection) -> dict[str, str]:
    """What else was asked for, as it was sent; unknown parameters are refused before this, so they are few."""
    # A part of a path that can only be a number is one already.
    stated = {name: str(value) for name, value in {**request.path_params, **request.query_params}.items()}
    if LAST_EVENT_ID in request.headers:
        stated[LAST_EVENT_ID] = request.headers[LAST_EVENT_ID]
    account_id = account_named(request)
    return {
        # A number in a path is read before it gets here.
        name: str(value)
        for name, value in stated.items()
        if name != PURPOSE_PARAMETER and (name, value) != ("account_id", account_id)
    }


class Reads:
    """Holds each answer that tells of customers back until its line is committed; without a line it is a 503."""

    def __init__(self, app: ASGIApp, log: ReadLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(self._log, scope, receive, send)
        try:
            await self._app(scope, receive, answer.send)
        except _NotAnswered:
            pass
        except Exception:
            # It is answered further out, by a problem that says nothing of customers.
            await answer.log(FAILED)
            raise


class _NotAnswered(Exception):
    """Ends what makes an answer that nobody will get; no handler of failures knows it."""


class _Answer:
    """One answer on its way out."""

    def __init__(self, log: ReadLog, scope: Scope, receive: Receive, send: Send) -> None:
        self._log = log
        self._scope, self._receive, self._send = scope, receive, send
        self._is_logged = self._is_refused = False

    async def send(self, message: Message) -> None:
        """Nothing goes out of an answer that could not be logged; a stream may yet try to say more."""
        if self._is_refused:
            return
        if message["type"] == "http.response.start":
            refusal = await self.log(message["status"])
            if refusal is not None:
                self._is_refused = True
                await answer_problem(refusal)(self._scope, self._receive, self._send)
                raise _NotAnswered
        await self._send(message)

    async def log(self, status: int) -> ReadNotLogged | None:
        """Writes the line, once, where there is to be one; why it could not be written."""
        read: Read | None = self._scope.get("state", {}).get("read")
        if read is None or self._is_logged or not _is_of_others(read, status):
            return None
        self._is_logged, read.status = True, status
        try:
            await self._log.record(read)
        except Exception as error:
            logger.warning("a read by %s could not be logged: %s", read.actor, error)
            return ReadNotLogged(
                "who reads customers' data is logged first, and the log of reads cannot be written; ask again"
            )
        return None


def _is_of_others(read: Read, status: int) -> bool:
    """A customer reads the own account, which is nobody's business, or is refused another's."""
    return not read.actor.startswith(f"{Role.CUSTOMER}:") or status == REFUSED_ANOTHERS
