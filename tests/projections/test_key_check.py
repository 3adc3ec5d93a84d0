"""Verification compares every idempotency key with the events that claim it, both ways."""

import pytest

from ledger import Ledger, Recorded
from ledger.events import read_event, write_event
from ledger.postgres import connect
from projections.verify import verify
from tests.ledger.submitting import BTC, PAIR, USDT, ask, depositing, opening, sending, trading
from tests.projections.test_verify import tamper

WITH_KEYS = [
    depositing("1000", "d1", deposit_id="D1"),
    depositing("5", None, deposit_id="D2"),
    depositing("6", None, deposit_id="D3"),
    depositing("1", "d1", "bob", deposit_id="D1", asset="BTC"),
    sending("10", "s1"),
    # Under the key by which the same account has just been sent something.
    depositing("1", "s1", "bob"),
    trading("T1", idempotency_key="t1"),
    trading("T2"),
    trading("T3"),
]
OF_T1 = "account_id = 'bob' and key in ('t1', 'trade_id T1')"


@pytest.fixture
def traded(database: str) -> str:
    """A database in which keys of all kinds were claimed by the ledger itself: t1 by the events 13 and 14."""
    with Ledger(database) as ledger:
        setting_up = ask(ledger, USDT, BTC, PAIR, opening("alice"), opening("bob"))
        assert all(isinstance(outcome, Recorded) for outcome in [*setting_up, *ask(ledger, *WITH_KEYS)])
    return database


def test_what_the_ledger_claimed_agrees(traded: str) -> None:
    assert verify(traded).differences == []


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("delete from idempotency_keys where key = 's1' and account_id = 'alice'", "'s1' of alice is missing, events "),
        ("delete from idempotency_keys where key = 'deposit_id D2'", "'deposit_id D2' of alice is missing, event 7"),
        (
            "delete from idempotency_keys where key = 'trade_id T2' and account_id = 'bob'",
            "'trade_id T2' of bob is mis",
        ),
        ("delete from idempotency_keys where account_id = '@exchange' and key = 'usdt'", "'usdt' of @exchange is miss"),
        (
            "insert into idempotency_keys values ('bob', 'forged', '{\"type\":\"deposit\"}', 7, 7)",
            "'forged' of bob names event 7, which did not claim it",
        ),
        ("insert into idempotency_keys values ('bob', 'trade_id T9', null, 7, 7)", "names event 7, which did not cl"),
        ("update idempotency_keys set account_id = 'eve' where key = 't1' and account_id = 'bob'", "'t1' of eve names"),
        (
            "update idempotency_keys set first_position = 3, last_position = 3 where key = 'deposit_id D3'",
            "names event 3",
        ),
        (
            "update idempotency_keys set last_position = last_position + 1 where key = 'd1'",
            "'d1' of alice names events",
        ),
        (f"update idempotency_keys set first_position = last_position where {OF_T1}", "'t1' of bob names event 14"),
        ("update idempotency_keys set last_position = 99 where key = 'd1'", "names events 6 to 99, the log ends at 18"),
        ("update idempotency_keys set content = null where key = 'd1'", "'d1' of alice has content that does not fit"),
        ("update idempotency_keys set content = '{\"amount\": 1}' where key = 'd1'", "has content that does not fit"),
        ("update idempotency_keys set content = 'null' where key = 'd1'", "has content that does not fit"),
        ("update idempotency_keys set content = '{}' where key = 'trade_id T1'", "'trade_id T1' of alice has content"),
    ],
)
def test_a_key_that_was_deleted_forged_or_changed_is_named(traded: str, statement: str, named: str) -> None:
    tamper(traded, statement)
    found = verify(traded).differences
    assert any(named in difference for difference in found), found


@pytest.mark.parametrize(
    ("position", "changes", "named"),
    [
        (8, {"deposit_id": "D2"}, "'deposit_id D2' of alice is claimed by 2 decisions, the first at event 7, the last"),
        (15, {"trade_id": "T1"}, "'trade_id T1' of alice is claimed by 2 decisions"),
    ],
)
def test_a_deposit_or_trade_that_stands_twice_on_an_account_is_named(
    traded: str, position: int, changes: dict[str, str], named: str
) -> None:
    with connect(traded) as connection:
        row = connection.execute("select topic, state from events where notification_id = %s", [position]).fetchone()
    assert row
    changed = write_event(read_event(*row).model_copy(update=changes)).hex()
    tamper(traded, f"update events set state = '\\x{changed}' where notification_id = {position}")
    found = verify(traded).differences
    assert any(named in difference for difference in found), found
