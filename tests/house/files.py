"""The files of the house, as its tests look at them."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ["ledger", "projections", "api"]
# What tools leave behind; none of it is committed.
LEFT_BEHIND = {"__pycache__", "build", "dist"}


def is_left_behind(path: Path) -> bool:
    """Whether a path lies in what a tool made."""
    parts = path.relative_to(ROOT).parts
    return any(part in LEFT_BEHIND or part.endswith(".egg-info") for part in parts)


def files_of(*folders: str, suffix: str) -> list[Path]:
    """All files below folders of the top level whose name ends so, sorted."""
    found = [path for folder in folders for path in (ROOT / folder).rglob(f"*{suffix}") if path.is_file()]
    return sorted(path for path in found if not is_left_behind(path))


def sources() -> list[Path]:
    """Every Python file of the house."""
    return files_of(*ROOMS, "tests", "benchmarks", suffix=".py")


def named(path: Path) -> str:
    """A path as it is written in messages: from the top level."""
    return str(path.relative_to(ROOT))


def parsed(path: Path) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(path.read_text(), filename=str(path))
