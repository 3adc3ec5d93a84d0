"""Processes that use the embedded server of a home folder, and leave it or are killed."""

import os
import subprocess
import sys
from pathlib import Path

USER = """
import sys
from ledger.postgres import database_url
print(database_url(), flush=True)
sys.stdin.read()
"""


def start_user(home: Path, **environment: str) -> "subprocess.Popen[str]":
    """A process that uses the server until its input ends."""
    variables = {name: value for name, value in os.environ.items() if name != "LEDGER_DATABASE_URL"}
    return subprocess.Popen(
        [sys.executable, "-c", USER],
        env=variables | {"LEDGER_HOME": str(home)} | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def attached(user: "subprocess.Popen[str]") -> str:
    """Waits until a process uses the server, and returns the URL that it got."""
    assert user.stdout is not None
    return user.stdout.readline().strip()


def leave(*users: "subprocess.Popen[str]") -> None:
    """Lets processes exit cleanly."""
    for user in users:
        user.communicate()
        assert user.returncode == 0


def kill(*users: "subprocess.Popen[str]") -> None:
    """Kills processes with SIGKILL."""
    for user in users:
        user.kill()
        user.communicate()
