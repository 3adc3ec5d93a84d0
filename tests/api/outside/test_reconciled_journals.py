"""Random journals and statements made from them: whatever is changed in a statement, the report names exactly that."""

import json
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ledger.log import read_log
from ledger.postgres import connect
from tests.api.command_line import CommandLine, write_lines
from tests.api.outside.statements import MARCH, open_accounts, projected, row, write_statement

PAYMENTS = 60
Told = tuple[str, str | None, str | None, tuple[str, ...]]
"""A kind, the line's text, the key of what was booked, and the fields that differ."""
CHANGES = ("drop", "add", "amount", "reference", "account", "double", "shift", "none", "none")


class Payment(NamedTuple):
    """What is booked here and stated there; `key` names it here."""

    key: str
    cells: tuple[str, ...]

    @property
    def reference(self) -> str:
        return self.cells[4]

    def stating(self, place: int, cell: str) -> tuple[str, ...]:
        return (*self.cells[:place], cell, *self.cells[place + 1 :])


# What is always there on both sides names the accounts and assets, and pays for what is withdrawn.
ANCHORS = [
    Payment(f"{account}-{asset}", row("99999", f"{account}-{asset}", account=account, asset=asset))
    for account in ("alice", "bob")
    for asset in ("USDT", "BTC")
]


def payments_of(chance: Random) -> list[Payment]:
    """Payments hours apart, no two of one amount, but for some alike that lie days apart and have no reference."""
    drawn = []
    for number in range(PAYMENTS):
        alike = number % 20 == 0
        amount = "3.5" if alike else f"{chance.choice((1, 1, -1)) * (100 + number)}.{chance.randrange(1, 99):02}"
        reference = "" if alike or chance.random() < 0.3 else f"REF {number}"
        account, asset = chance.choice(("alice", "bob")), chance.choice(("USDT", "BTC"))
        drawn.append(Payment(f"P{number}", row(amount, reference, hours=6 * number, account=account, asset=asset)))
    return drawn


def booked(payment: Payment) -> list[dict[str, Any]]:
    at, account_id, asset, amount, reference = payment.cells
    shared = {"account_id": account_id, "effective_at": at}
    outside = {"reference": reference or None}
    if not amount.startswith("-"):
        deposit = {"asset": asset, "amount": amount, "idempotency_key": payment.key}
        return [{"type": "deposit", **shared, **outside, **deposit}]
    asked = {"withdrawal_id": payment.key, "asset": asset, "amount": amount.removeprefix("-")}
    settled = {"withdrawal_id": payment.key, "idempotency_key": payment.key}
    return [
        {"type": "request_withdrawal", **shared, **asked},
        {"type": "settle_withdrawal", **shared, **outside, **settled},
    ]


class Journal(NamedTuple):
    ledger: CommandLine
    payments: list[Payment]
    key_at: dict[int, str]
    folder: Path


@pytest.fixture(params=[1, 2])
def journal(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    database: str,
    tmp_path: Path,
) -> Journal:
    """A random journal: the payments booked in any order, much else between them."""
    ledger = CommandLine(monkeypatch, capsys)
    ledger.use(database)
    chance = Random(request.param)
    payments = payments_of(chance)
    open_accounts(ledger, tmp_path, *(booked(anchor)[0] for anchor in ANCHORS))
    send = {"type": "send", "account_id": "alice", "to_account_id": "bob", "asset": "USDT", "amount": "1"}
    shuffled = [command for payment in chance.sample(payments, PAYMENTS) for command in booked(payment)]
    between = [{**send, "idempotency_key": f"S{number}"} for number in range(5)]
    assert ledger("import", write_lines(tmp_path / "booked.ndjson", [*shuffled, *between])).code == 0
    projected(database)
    with connect(database) as connection:
        key_at = {one.position: one.event.idempotency_key or "" for one in read_log(connection, 0, 1_000)}
    return Journal(ledger, payments, key_at, tmp_path)


def changed(payment: Payment, change: str, number: int) -> tuple[list[tuple[str, ...]], set[Told]]:
    """The lines that state a payment after a change, and what a report must then say."""
    cells, key = payment.cells, payment.key
    fresh = f"{7_000 + number}"
    there = ",".join
    if change == "drop":
        return [], {("missing_there", None, key, ())}
    if change == "add":
        added = (*payment.stating(3, fresh)[:4], payment.reference and f"NEW {number}")
        return [cells, added], {("missing_here", there(added), None, ())}
    if change == "double":
        return [cells, cells], {("missing_here", there(cells), None, ())}
    if change == "shift":
        at = (MARCH + timedelta(hours=6 * int(key[1:]), minutes=50)).isoformat().replace("+00:00", "Z")
        return [payment.stating(0, at)], set()
    if change == "none" or not payment.reference:
        return [cells], set()
    other = {"amount": fresh, "reference": f"NEW {number}", "account": "bob" if cells[1] == "alice" else "alice"}
    place = {"account": 1, "amount": 3, "reference": 4}[change]
    line = payment.stating(place, other[change])
    return [line], {("different", there(line), key, (change,))}


# Without shrinking, which would take minutes: what a report says of sixty payments is read as it is.
@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.sampled_from(CHANGES), min_size=PAYMENTS, max_size=PAYMENTS),
    st.integers(0, 2**32),
)
def test_a_report_names_exactly_what_was_changed(journal: Journal, changes: list[str], seed: int) -> None:
    lines = [anchor.cells for anchor in ANCHORS]
    expected: list[Told] = []
    for number, (payment, change) in enumerate(zip(journal.payments, changes, strict=True)):
        stated, told = changed(payment, change, number)
        lines += stated
        expected += told
    Random(seed).shuffle(lines)
    file = write_statement(journal.folder / "statement.csv", lines)
    period = ["--from", "2026-03-01", "--to", "2026-03-30", "--tolerance", "1h"]
    ended = journal.ledger("reconcile", file, *period, "--json")
    report = json.loads(ended.out)
    view = report["views"]["effective_at"]
    texts = [None, None, *(",".join(line) for line in lines)]
    found = [
        (item["kind"], texts[item["line"] or 0], journal.key_at.get(item["position"]), tuple(item["differs"]))
        for item in view["items"]
    ]
    assert sorted(map(str, found)) == sorted(map(str, expected))
    assert (ended.code, report["agrees"]) == ((1, False) if expected else (0, True))
    matched = view["kinds"]["matched"]["lines"]
    assert matched == len(lines) - sum(one[1] is not None for one in expected)
    for total in view["totals"].values():
        assert total["journal_agrees"]
