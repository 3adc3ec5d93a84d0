"""The rules import pydantic and the standard library only, and look at no clock, environment or file."""

import ast
import itertools
import re
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.files import ROOT, files_of, named, parsed

WORLDLY_LIBRARIES = {
    "asyncio", "glob", "io", "multiprocessing", "os", "pathlib", "random", "secrets", "shutil", "signal", "socket",
    "sqlite3", "subprocess", "sys", "tempfile", "threading", "time", "uuid",
}  # fmt: skip
PURE_LIBRARIES = (sys.stdlib_module_names - WORLDLY_LIBRARIES) | {"pydantic", "pydantic_core", "ledger"}
CLOCKS = {"now", "utcnow", "today", "open", "input", "print"}


def worldly() -> set[str]:
    """The modules of the write side above the rules, as the floor plan in pyproject.toml has them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    floors = next(contract["layers"] for contract in contracts if contract["id"] == "floors")
    above = itertools.takewhile(lambda floor: "account" not in floor, floors)
    return {name.strip(" ()") for floor in above for name in re.split(r"[|:]", floor)} | {"__init__"}


def rules() -> list[Path]:
    """Every file of the write side below those, whole folders included."""
    top = ROOT / "ledger"
    return [
        path
        for path in files_of("ledger", suffix=".py")
        if path.relative_to(top).parts[0].removesuffix(".py") not in worldly()
    ]


@pytest.mark.parametrize("path", rules(), ids=named)
def test_a_rule_imports_nothing_of_the_world(path: Path) -> None:
    imported: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            imported.add((node.module or "").partition(".")[0])
    assert imported - PURE_LIBRARIES == set()


@pytest.mark.parametrize("path", rules(), ids=named)
def test_a_rule_asks_no_clock_and_writes_nowhere(path: Path) -> None:
    calls = [node.func for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)]
    names = {call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls}
    assert names & CLOCKS == set()
