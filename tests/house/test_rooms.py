"""The top level is fixed, each room explains itself, and the project names no package registry."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.house.files import ROOT, is_left_behind, named

REQUIRED = {"pyproject.toml", "ledger", "projections", "api", "tests", "docker-compose.yml", "README.md"}
ALLOWED = REQUIRED | {"Makefile", "Dockerfile", "benchmarks", "LICENSE", "CHANGELOG.md"}
# Dot folders that hold what tools and Git made; the others are read like everything else.
UNREAD = {".git", ".venv", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".import_linter_cache"}
REGISTRY = re.compile(r"py" r"pi\.|python" r"hosted|npm" r"js\.|index[-_]url|find[-_]links", re.IGNORECASE)


def top_level() -> list[Path]:
    """What lies at the top level and was made by nobody's tool."""
    return sorted(path for path in ROOT.iterdir() if path.name not in UNREAD and not is_left_behind(path))


def test_the_top_level_holds_what_it_must_and_nothing_else() -> None:
    names = {path.name for path in top_level() if not path.name.startswith(".")}
    assert REQUIRED - names == set()
    assert names - ALLOWED == set()


@pytest.mark.parametrize("room", ["ledger", "projections", "api", "tests", "benchmarks"])
def test_each_room_has_a_readme(room: str) -> None:
    assert (ROOT / room / "README.md").read_text().strip()


def test_nothing_names_a_package_registry() -> None:
    entries = [path for entry in top_level() for path in ([entry] if entry.is_file() else entry.rglob("*"))]
    texts = {path: path.read_bytes().decode(errors="replace") for path in entries if path.is_file()}
    naming = [named(path) for path, text in texts.items() if not is_left_behind(path) and REGISTRY.search(text)]
    assert naming == []


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["dev"]]
    assert [dependency for dependency in [*asked, *project["build-system"]["requires"]] if "==" not in dependency] == []
