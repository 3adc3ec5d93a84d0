"""`ledger-verify-liability` finds every lie about what is owed that customers or auditors are told; it runs alone."""

import ast
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.signing import base64_of
from tests.api.checking import PROGRAM, Checks
from tests.api.forging import BTC, ETH, ONE, WRAP, Exchange, Leaf, only_the_total, owed
from tests.house.files import parsed
from tests.ledger.sealed import FORGED

ALLOWED = sys.stdlib_module_names | {"cryptography"}
CUSTOMERS = {"alice": 5, "bob": 7, "carol": 5, "dan": 11, "eve": 13}
LOANS = ("loans", "BTC")


@pytest.fixture
def check(tmp_path: Path) -> Checks:
    return Checks(tmp_path)


@pytest.fixture
def honest() -> Exchange:
    return Exchange({BTC: owed(**CUSTOMERS), LOANS: owed(bob=3), ETH: owed(alice=5, bob=2)})


def lines_of(exchange: Exchange) -> list[list[str]]:
    """All leaves as auditors are given them."""
    return [
        [*which, base64_of(leaf.content[:32]), told]
        for which, leaves in sorted(exchange.trees.items())
        for leaf in leaves
        for told in [exchange.part(which, 0, leaf)["amount"]]
    ]


def test_the_verifier_knows_nothing_but_its_libraries() -> None:
    imported = {
        name.partition(".")[0]
        for node in ast.walk(parsed(PROGRAM))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or "."])
    }
    assert imported - ALLOWED == set()


def test_an_honest_publication_tells_its_totals(check: Checks, honest: Exchange) -> None:
    code, told = check(honest.publication(), "--origin", "margin-ledger/exchange")
    assert code == 0
    assert told.splitlines()[0].startswith("margin-ledger/exchange at 700 events; compare with others its SHA-256: ")
    assert told.splitlines()[1:] == ["balances BTC: 41", "balances ETH: 7", "loans BTC: 3", "loans ETH: 0"]


@pytest.mark.parametrize("name", CUSTOMERS)
def test_every_customer_of_an_honest_exchange_finds_what_is_his(check: Checks, honest: Exchange, name: str) -> None:
    code, told = check.proof(honest.publication(), honest.proof(name), name)
    assert code == 0
    assert f"balances BTC: {CUSTOMERS[name]} owed to {name} is in the total of 41\n" in told
    assert ("loans BTC: 3 owed by bob is in the total of 3\n" in told) == (name == "bob")
    assert told.endswith(f"nothing else is counted for {name}: where you have or owe more, it is left out\n")


def test_all_leaves_of_an_honest_exchange_give_what_it_published(check: Checks, honest: Exchange) -> None:
    code, told = check.leaves(honest.publication(), lines_of(honest))
    assert (code, told.splitlines()[-1]) == (
        0,
        "all leaves are as published: none is below zero, and no id comes twice",
    )


def test_a_leaf_below_zero_is_found_by_a_customer_beside_its_branch(check: Checks) -> None:
    liar = Exchange({BTC: [*owed(**CUSTOMERS), Leaf("nobody", 0, -20 * ONE)]})
    publication = liar.publication()
    assert "balances BTC: 21\n" in check(publication)[1]
    found = check.finds(liar, publication, *CUSTOMERS)
    assert found
    assert all("TAMPERED: a sum is out of range" in told for told in found.values())
    assert "is no amount of zero or more" in check.leaves(publication, lines_of(liar))[1]


def test_a_leaf_told_below_zero_is_no_amount(check: Checks, honest: Exchange) -> None:
    proof = honest.proof("alice")
    proof["trees"][1]["parts"][0]["amount"] = "-5"
    assert "is no amount of zero or more" in check.proof(honest.publication(), proof, "alice")[1]


def test_a_sum_beyond_its_width_is_found(check: Checks) -> None:
    liar = Exchange({BTC: [*owed(**CUSTOMERS), Leaf("nobody", 0, WRAP - 30 * ONE), Leaf("nobody", 1, 10 * ONE)]})
    assert "balances BTC: 21\n" in check(liar.publication())[1]
    found = check.finds(liar, liar.publication(), *CUSTOMERS)
    assert any("a sum is out of range" in told for told in found.values())


def test_a_tree_that_hashes_the_sum_of_sums_alone_is_not_taken(check: Checks) -> None:
    liar = Exchange({BTC: owed(**CUSTOMERS)}, join=only_the_total)
    assert set(check.finds(liar, liar.publication(), *CUSTOMERS)) == set(CUSTOMERS)


def test_a_total_told_lower_than_its_leaves_is_found_by_everybody(check: Checks, honest: Exchange) -> None:
    publication = honest.publication(totals={BTC: "30"})
    found = check.finds(honest, publication, *CUSTOMERS)
    assert set(found) == set(CUSTOMERS)
    assert all("does not lead to the published root and total" in told for told in found.values())
    assert "balances BTC: the leaves come to 41, 30 was published" in check.leaves(publication, lines_of(honest))[1]


def test_sums_told_to_each_customer_as_it_suits_do_not_lead_to_one_root(check: Checks, honest: Exchange) -> None:
    """With sums that only add up, each could be told that everybody else has nothing."""
    publication = honest.publication(totals={BTC: "13"})
    for name in CUSTOMERS:
        proof = honest.proof(name)
        for part in next(tree for tree in proof["trees"] if tree["kind"] == "balances")["parts"]:
            for beside in part["path"]:
                beside["sum"] = "0"
        assert check.proof(publication, proof, name)[0] == 1


def on_path(path: Callable[[list[Any]], list[Any]]) -> Callable[[Any], None]:
    def change(part: Any) -> None:
        part["path"] = path(part["path"])

    return change


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(on_path(lambda path: path[::-1]), id="siblings in another order"),
        pytest.param(on_path(lambda path: path[:-1]), id="a path too short"),
        pytest.param(on_path(lambda path: [*path, path[-1]]), id="a path too long"),
        pytest.param(on_path(lambda path: []), id="no path"),
        pytest.param(lambda part: part.update(place=part["place"] ^ 1), id="the other side of its sibling"),
        pytest.param(lambda part: part.update(place=10), id="a place beyond the leaves"),
        pytest.param(lambda part: part.update(place=-1), id="a place before them"),
        pytest.param(lambda part: part.update(salt=base64_of(b"t" * 32)), id="another salt"),
        pytest.param(lambda part: part.update(salt=base64_of(b"s" * 31)), id="a short salt"),
        pytest.param(lambda part: part["path"][0].update(sum=str(1 << 200)), id="a sum beyond its width"),
        pytest.param(lambda part: part["path"][0].update(sum="1e3"), id="a sum that is no plain number"),
        pytest.param(lambda part: part["path"][0].update(sum="0.0000000000000000001"), id="too many decimals"),
        pytest.param(lambda part: part["path"][0].update(sum=1), id="a sum that is no text"),
    ],
)
def test_a_changed_path_is_found(check: Checks, honest: Exchange, change: Callable[[Any], None]) -> None:
    proof = honest.proof("alice")
    change(next(tree for tree in proof["trees"] if tree["asset"] == "BTC")["parts"][0])
    code, told = check.proof(honest.publication(), proof, "alice")
    assert (code, told[:10]) == (1, "TAMPERED: ")


def test_one_leaf_is_not_good_for_two_customers_of_the_same_amount(check: Checks) -> None:
    liar = Exchange({BTC: owed(alice=5, bob=7)})
    proof = liar.proof("alice") | {"account_id": "carol"}
    assert "does not lead to the published root" in check.proof(liar.publication(), proof, "carol")[1]
    assert "is of account alice, not of carol" in check.proof(liar.publication(), liar.proof("alice"), "carol")[1]


def test_one_leaf_is_not_good_for_two_parts(check: Checks) -> None:
    liar = Exchange({BTC: [Leaf("alice", 0, 5 * ONE), *owed(bob=7)]})
    proof = liar.proof("alice")
    (tree,) = proof["trees"]
    tree.update(parts=tree["parts"] * 2, amount="10")
    assert "part 2: its path does not lead" in check.proof(liar.publication(), proof, "alice")[1]
    tree.update(parts=tree["parts"][:1], amount="5")
    assert "an amount is in 2 parts, the proof has 1" in check.proof(liar.publication(), proof, "alice")[1]


def test_an_amount_told_as_more_than_its_leaves_is_found(check: Checks, honest: Exchange) -> None:
    proof = honest.proof("eve")
    proof["trees"][0]["amount"] = "14"
    assert "the parts come to 13, the proof says 14" in check.proof(honest.publication(), proof, "eve")[1]


def test_a_tree_told_twice_is_found(check: Checks, honest: Exchange) -> None:
    proof = honest.proof("eve")
    proof["trees"] *= 2
    assert "the proof has it twice" in check.proof(honest.publication(), proof, "eve")[1]


def test_a_leaf_of_another_asset_or_kind_is_not_good(check: Checks, honest: Exchange) -> None:
    # Both assets have the same leaves, so that nothing but their trees' names tells them apart.
    liar = Exchange({BTC: owed(**CUSTOMERS), ETH: owed(**CUSTOMERS), LOANS: owed(**CUSTOMERS)})
    for kind, asset in (ETH, LOANS):
        proof = liar.proof("alice")
        tree = next(one for one in proof["trees"] if (one["kind"], one["asset"]) == BTC)
        proof["trees"] = [tree | {"kind": kind, "asset": asset}]
        assert "does not lead to the published root" in check.proof(liar.publication(), proof, "alice")[1]


def test_a_proof_of_another_publication_is_not_good(check: Checks, honest: Exchange) -> None:
    later = Exchange(honest.trees, size=800)
    assert "not of that at 800" in check.proof(later.publication(), honest.proof("alice"), "alice")[1]
    renamed = honest.proof("alice") | {"size": 800}
    assert "does not lead to the published root" in check.proof(later.publication(), renamed, "alice")[1]


def test_a_publication_that_is_not_of_its_checkpoint_is_found(check: Checks, honest: Exchange) -> None:
    other = Exchange(honest.trees, size=800).publication()
    mixed = honest.publication() | {"checkpoint": other["checkpoint"]}
    assert "TAMPERED: the publication is not of the checkpoint that comes with it" in check(mixed)[1]


def test_a_checkpoint_is_no_publication_and_a_publication_no_checkpoint(check: Checks, honest: Exchange) -> None:
    publication = honest.publication()
    for name in ("checkpoint", "note"):
        assert check({"note": publication[name], "checkpoint": publication[name]})[0] == 1


@pytest.mark.parametrize("name", ["note", "checkpoint"])
def test_what_was_signed_by_nobody_or_by_another_key_is_found(check: Checks, honest: Exchange, name: str) -> None:
    publication = honest.publication()
    forged = Exchange(honest.trees, key=FORGED).publication()
    changed = publication | {name: publication[name].replace("700", "701", 1)}
    for one in (changed, publication | {name: forged[name]}, publication | {name: ""}):
        assert "bears no good signature of a key that was given" in check(one)[1]
        assert check(one)[0] == 1


def test_another_log_is_not_taken_for_this_one(check: Checks, honest: Exchange) -> None:
    assert check(honest.publication(), "--origin", "margin-ledger/another")[0] == 1


def test_a_total_without_leaves_or_a_root_of_others_is_found(check: Checks, honest: Exchange) -> None:
    ethereal = ("loans", "ETH")
    assert "no leaf of loans ETH" in check(honest.publication(totals={ethereal: "1"}))[1]
    root = base64_of(b"x" * 32)
    assert "no leaf of loans ETH" in check(honest.publication(roots={ethereal: root}))[1]
    assert "is no amount of zero or more" in check(honest.publication(totals={BTC: "-1"}))[1]


def test_balances_without_a_line_of_loans_are_found(check: Checks, honest: Exchange) -> None:
    del honest.trees[LOANS]
    assert "both what is owed to customers and by them in BTC" in check(honest.publication())[1]


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        pytest.param(lambda lines: lines[1:], "balances BTC: there are 9 leaves, 10 were published", id="left out"),
        pytest.param(
            lambda lines: [lines[0], *lines], "leaf 2 of balances BTC: its id comes again, or before", id="twice"
        ),
        pytest.param(
            lambda lines: [lines[1], lines[0], *lines[2:]], "its id comes again, or before one", id="in another order"
        ),
        pytest.param(lambda lines: [[*lines[0][:3], "-1"], *lines[1:]], "is no amount of zero", id="below zero"),
        pytest.param(
            lambda lines: [[*lines[0][:3], "999"], *lines[1:]], "balances BTC: the leaves come to ", id="another amount"
        ),
        pytest.param(
            lambda lines: [[*lines[0][:2], base64_of(bytes(31) + b"1"), lines[0][3]], *lines[1:]],
            "balances BTC: the leaves do not give the published root",
            id="another id",
        ),
        pytest.param(
            lambda lines: [*lines, ["loans", "DOGE", *lines[0][2:]]], "the publication has no such tree", id="elsewhere"
        ),
        pytest.param(lambda lines: [], "balances BTC: there are 0 leaves", id="none"),
    ],
)
def test_leaves_that_are_not_as_published_are_found(
    check: Checks, honest: Exchange, change: Callable[[list[Any]], list[Any]], finding: str
) -> None:
    code, told = check.leaves(honest.publication(), change(lines_of(honest)))
    assert code == 1
    assert finding in told


@pytest.mark.parametrize(
    "arguments",
    [
        ["--proof", "missing", "--account", "alice"],
        ["--proof", "publication"],
        ["--account", "alice"],
        ["--leaves", "missing"],
        ["--leaves", "publication"],
        ["--proof", "publication", "--account", "alice"],
        ["--key", "nonsense"],
    ],
)
def test_what_cannot_be_understood_ends_with_2(check: Checks, honest: Exchange, arguments: list[str]) -> None:
    assert check(honest.publication(), *arguments)[0] == 2


@pytest.mark.parametrize("publication", [[], {}, {"note": 1, "checkpoint": None}, "text"])
def test_what_is_no_publication_ends_with_2(check: Checks, publication: Any) -> None:
    assert check(publication)[0] == 2
