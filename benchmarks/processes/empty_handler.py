"""The baseline of a request: a FastAPI handler that parses and validates a command, and does nothing with it.

It is written as FastAPI's own guide writes it: the body is annotated with pydantic models, one for each kind of command
that is sent, told apart by their type. They are the ledger's own, so that what is validated is the same. Nothing else
is there: no key is looked at, no middleware, no thread, no database. The server runs with the settings of `ledger api`.
"""

import socket
from typing import Annotated, Any

import uvicorn
from fastapi import Body, FastAPI

from api.command_line.serving import BACKLOG
from api.web_server import server_config
from ledger import collect_seldom
from ledger.commands import (
    AddMargin,
    BookTrade,
    Borrow,
    Deposit,
    MarkPrices,
    Repay,
    RequestWithdrawal,
    Transfer,
)

AskedCommand = Annotated[
    Deposit | Transfer | AddMargin | Borrow | Repay | BookTrade | RequestWithdrawal | MarkPrices,
    Body(discriminator="type"),
]

app = FastAPI()


@app.post("/v1/commands")
async def post_command(command: AskedCommand) -> dict[str, Any]:
    """Answers what the ledger would, had it recorded one event."""
    event = {"account_id": command.stream, "topic": command.type, "version": 1, "position": 1}
    result = {"status": "recorded", "account_id": command.stream, "version": 1, "position": 1, "events": [event]}
    return {"results": [result]}


def main() -> None:
    """Serves on a free port, which it prints, until SIGTERM."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    print(f"listening on http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    collect_seldom()
    uvicorn.Server(server_config(app)).run(sockets=[listening])


if __name__ == "__main__":
    main()
