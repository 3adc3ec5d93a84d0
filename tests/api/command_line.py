"""The `ledger` command in this process: its arguments in, its exit code and what it printed out."""

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest

from api.cli import main

LEDGER = Path(sys.executable).parent / "ledger"
LISTINGS: list[dict[str, Any]] = [
    {"type": "list_asset", "asset": "USDT", "scale": 8, "daily_interest_rate": "0.0003", "idempotency_key": "usdt"},
    {"type": "list_asset", "asset": "BTC", "scale": 8, "daily_interest_rate": "0.0002", "idempotency_key": "btc"},
    {"type": "list_pair", "pair": "BTC/USDT", "price_scale": 2, "max_leverage": "10", "idempotency_key": "pair"},
]


class Ended(NamedTuple):
    """How a command ended: its exit code, and what it printed where."""

    code: int
    out: str
    err: str


@dataclass
class CommandLine:
    """Runs the command on one database."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def use(self, url: str) -> None:
        self.monkeypatch.setenv("LEDGER_DATABASE_URL", url)

    def __call__(self, *arguments: str | Path, stdin: bytes = b"") -> Ended:
        self.monkeypatch.setattr(sys, "argv", ["ledger", *map(str, arguments)])
        self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        self.capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        return Ended(code, *self.capsys.readouterr())


def deposit(account_id: str, amount: str, **fields: Any) -> dict[str, Any]:
    return {"type": "deposit", "account_id": account_id, "asset": "USDT", "amount": amount, **fields}


def opened(account_id: str) -> dict[str, Any]:
    return {"type": "open_account", "account_id": account_id}


def write_lines(file: Path, commands: Iterable[dict[str, Any] | str]) -> Path:
    """An NDJSON file of commands; a text is a line as it is."""
    file.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in commands))
    return file


@contextmanager
def served(url: str, command: str = "serve") -> Iterator[str]:
    """The address of `ledger serve` (or `api`) on a database, in a process of its own that must end well if told to."""
    with serving(url, command) as (process, address, complaints):
        yield address
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
        complaints.seek(0)
        assert code == 0, complaints.read()


@contextmanager
def serving(url: str, command: str = "serve") -> Iterator[tuple["subprocess.Popen[str]", str, IO[str]]]:
    """`ledger serve` on a database in a process of its own, with its address and its complaints; killed at the end."""
    arguments = [str(LEDGER), command, "--port", "0"]
    environment = {**os.environ, "LEDGER_DATABASE_URL": url}
    with (
        tempfile.TemporaryFile("w+") as complaints,
        subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, stderr=complaints, text=True) as process,
    ):
        assert process.stdout is not None
        try:
            said = process.stdout.readline()
            complaints.seek(0)
            assert said.startswith("listening on "), complaints.read()
            yield process, said.split()[2], complaints
        finally:
            process.kill()
