"""No file or function outgrows its reader, and every name says what a thing is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.files import ROOMS, ROOT, files_of, named, parsed, sources

LONGEST_FILE_LINES = 300
# Whoever trusts nobody reads a verifier whole, and carries it away alone: it is one file.
VERIFIERS = {"api/ledger_verify.py", "api/liability_verify.py"}
LONGEST_VERIFIER_LINES = 420
LONGEST_FUNCTION_LINES = 40
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "data", "info"}


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file, those inside of others too."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", [*sources(), *files_of(*ROOMS, suffix=".sql")], ids=named)
def test_no_file_passes_300_lines(path: Path) -> None:
    longest = LONGEST_VERIFIER_LINES if named(path) in VERIFIERS else LONGEST_FILE_LINES
    assert len(path.read_text().splitlines()) <= longest


@pytest.mark.parametrize("path", sources(), ids=named)
def test_no_function_passes_40_lines(path: Path) -> None:
    lengths = {function.name: (function.end_lineno or 0) - function.lineno + 1 for function in functions(path)}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION_LINES} == {}


@pytest.mark.parametrize("path", sources(), ids=named)
def test_every_module_opens_with_a_sentence(path: Path) -> None:
    module = parsed(path)
    if not module.body:
        pytest.skip("an empty file has nothing to say")
    docstring = ast.get_docstring(module)
    assert docstring
    assert docstring.split("\n\n")[0].rstrip().endswith((".", ":"))


@pytest.mark.parametrize("path", sources(), ids=named)
def test_no_module_or_folder_has_an_empty_name(path: Path) -> None:
    names = {part.lower().removeprefix("test_") for part in path.relative_to(ROOT).with_suffix("").parts}
    assert names & FORBIDDEN_NAMES == set()
