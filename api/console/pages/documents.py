"""Statements as documents: the bytes of the API, handed on as they come to who is signed in."""

import json
from urllib.parse import quote, urlencode

from fastapi import Request
from nicegui import app as console_app
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.console.asking import Asker
from api.console.doors import asker_of
from api.console.report_frame import DOCUMENTS


@console_app.get("/statement/{account_id}.{form}")
async def statement_document(request: Request, account_id: str, form: str) -> Response:
    """The statement of an account in one of its forms; the range is asked for as the API asks for it."""
    if form not in DOCUMENTS:
        return PlainTextResponse("A statement is a document in json, csv or html.", status_code=404)
    asked = {**request.query_params, "format": form}
    path = f"/v1/accounts/{account_id}/statement/document"
    return HandedOn(console_app.state.answering, asker_of(request), path, urlencode(asked))


class HandedOn(Response):
    """What the API answers to a question, sent on part by part, so that no document is held in memory.

    A refusal is sent as text, in the ledger's words.
    """

    def __init__(self, answering: ASGIApp, ask: Asker, path: str, query: str) -> None:
        super().__init__()
        self._answering, self._of_the_asker, self._path, self._query = answering, ask.headers, path, query

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = bytearray()
        status = 200

        async def hand_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            if status < 400:
                await send(message)
                return
            refused.extend(message.get("body", b""))
            if message["type"] == "http.response.body" and not message.get("more_body"):
                problem = json.loads(refused)
                words = f"{problem['title']}\n\n{problem['detail']}\n"
                await PlainTextResponse(words, status)(scope, receive, send)

        await self._answering(self._asked(scope), receive, hand_on)

    def _asked(self, scope: Scope) -> Scope:
        """The question, with the key of the session and nothing else of what the browser sent."""
        kept = {name: scope.get(name) for name in ("type", "asgi", "http_version", "scheme", "server", "client")}
        path = {"path": self._path, "raw_path": quote(self._path).encode(), "root_path": "", "method": "GET"}
        return {**kept, **path, "query_string": self._query.encode(), "headers": self._of_the_asker, "state": {}}
