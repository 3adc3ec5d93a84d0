"""`ledger-verify-liability` as it would be carried away: the one file in a folder of its own, without the project."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.api.forging import Exchange
from tests.house.files import ROOT
from tests.ledger.sealed import KEY

PROGRAM = ROOT / "api" / "liability_verify.py"


class Checks:
    """Runs a copy of it on publications, proofs and leaves; answers with its exit code and what it printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy(PROGRAM, folder)

    def __call__(self, publication: Any, *arguments: str, key: str = KEY.public_key) -> tuple[int, str]:
        (self.folder / "publication").write_text(json.dumps(publication))
        command = [sys.executable, "-I", PROGRAM.name, "--publication", "publication", "--key", key, *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, check=False)
        return ended.returncode, ended.stdout + ended.stderr

    def proof(self, publication: Any, proof: Any, account_id: str) -> tuple[int, str]:
        (self.folder / "proof").write_text(json.dumps(proof))
        return self(publication, "--proof", "proof", "--account", account_id)

    def leaves(self, publication: Any, lines: list[Any]) -> tuple[int, str]:
        (self.folder / "leaves").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        return self(publication, "--leaves", "leaves")

    def finds(self, exchange: Exchange, publication: Any, *customers: str) -> dict[str, str]:
        """What it says to those of these customers for whom something is wrong."""
        said = {name: self.proof(publication, exchange.proof(name), name) for name in customers}
        assert {code for code, _ in said.values()} <= {0, 1}
        return {name: told for name, (code, told) in said.items() if code}
