"""`ledger-verify-liability --expect`: a proof is held against what its customer says he has."""

import json
from pathlib import Path

import pytest

from tests.api.checking import Checks
from tests.api.forging import BTC, ETH, Exchange, Leaf, owed


@pytest.fixture
def check(tmp_path: Path) -> Checks:
    return Checks(tmp_path)


@pytest.fixture
def honest() -> Exchange:
    return Exchange({BTC: owed(alice=5, bob=7, carol=5), ("loans", "BTC"): owed(bob=3), ETH: owed(alice=5, bob=2)})


@pytest.mark.parametrize(
    ("name", "expected", "code", "said"),
    [
        ("bob", ["balances BTC=7", "loans BTC=3.0"], 0, "balances BTC: 7 owed to bob"),
        ("bob", ["balances BTC=7", "loans BTC=4"], 1, "loans BTC: 3 is counted of bob, 4 was expected"),
        ("bob", ["balances BTC=7.000000000000000001"], 1, "7 is counted of bob, 7.000000000000000001 was expected"),
        ("carol", ["balances ETH=1"], 1, "balances ETH: 0 is counted of carol, 1 was expected"),
        ("carol", ["balances ETH=0"], 0, "balances BTC: 5 owed to carol"),
        ("carol", ["nothing"], 1, "something is counted of carol, nothing was expected"),
        ("zoe", [], 1, "nothing at all is counted of zoe; if that is right, say --expect nothing"),
        ("zoe", ["nothing"], 0, "nothing else is counted for zoe"),
        ("zoe", ["balances BTC=0"], 1, "nothing at all is counted of zoe"),
    ],
)
def test_a_proof_that_counts_other_than_expected_or_nothing_ends_with_1(
    check: Checks, honest: Exchange, name: str, expected: list[str], code: int, said: str
) -> None:
    stated = [one for expectation in expected for one in ("--expect", expectation)]
    (check.folder / "proof").write_text(json.dumps(honest.proof(name)))
    ended, told = check(honest.publication(), "--proof", "proof", "--account", name, *stated)
    assert (ended, "UNEXPECTED: " in told) == (code, bool(code))
    assert said in told


def test_a_tree_with_leaves_of_zero_counts_nothing(check: Checks) -> None:
    exchange = Exchange({BTC: [*owed(alice=5), Leaf("zoe", 0, 0), Leaf("zoe", 1, 0)]})
    code, told = check.proof(exchange.publication(), exchange.proof("zoe"), "zoe")
    assert (code, "nothing at all is counted of zoe" in told) == (1, True)


@pytest.mark.parametrize(
    "expected",
    [
        ["balances"],
        ["balances BTC"],
        ["balances BTC=-1"],
        ["balances BTC=1e3"],
        ["debts BTC=1"],
        ["balances btc=1"],
        ["nothing", "balances BTC=5"],
        ["balances BTC=5", "balances BTC=6"],
    ],
)
def test_an_expectation_that_cannot_be_understood_ends_with_2(
    check: Checks, honest: Exchange, expected: list[str]
) -> None:
    (check.folder / "proof").write_text(json.dumps(honest.proof("alice")))
    stated = [one for expectation in expected for one in ("--expect", expectation)]
    assert check(honest.publication(), "--proof", "proof", "--account", "alice", *stated)[0] == 2


def test_an_expectation_without_a_proof_ends_with_2(check: Checks, honest: Exchange) -> None:
    assert check(honest.publication(), "--expect", "nothing")[0] == 2
