"""The README's tour, run as it is written, against a server of its own."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.api.command_line import LEDGER, served

ROOT = Path(__file__).resolve().parents[2]


def tour(address: str) -> str:
    """All shell blocks of the README in order, turned to the server's address and to this interpreter's command."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    script = "set -eu\n" + "".join(blocks)
    return script.replace("http://127.0.0.1:8000", address).replace(".venv/bin/ledger", str(LEDGER))


@pytest.mark.long
@pytest.mark.skipif(shutil.which("curl") is None, reason="the tour is written with curl, which is not installed")
def test_the_tour_runs_and_ends_with_a_liquidation_and_a_verified_ledger(database: str) -> None:
    environment = {**os.environ, "LEDGER_DATABASE_URL": database}
    with served(database) as address:
        ended = subprocess.run(
            ["sh", "-c", tour(address)], env=environment, capture_output=True, text=True, timeout=120
        )
    assert ended.returncode == 0, ended.stderr
    assert '"status":"replayed"' in ended.stdout
    assert '"code": "insufficient_funds"' in ended.stdout or '"code":"insufficient_funds"' in ended.stdout
    assert '"liquidation_id":"alice.8"' in ended.stdout
    assert "#17 version 10" in ended.stdout
    assert "no difference; trial balance zero for every asset" in ended.stdout
