"""The same lives on the real write path and its projections: what memory decided stands in PostgreSQL."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import pytest

from ledger import Ledger, Outcome, Recorded, parse_command
from ledger.account import Account
from ledger.log import log_end
from ledger.postgres import connect
from projections.accounts.hold_queries import holds
from projections.accounts.queries import withdrawals
from projections.projector import Connection
from projections.questions.account_state import account_at
from projections.runner import catch_up
from projections.snapshot import open_snapshot
from projections.verify import verify
from tests.simulation.machine import Simulation, run

STEPS = 350
AT_ONCE = 25
# Dated by the newest price vector, or the price that is confirmed, not by whoever asks.
BY_ITSELF = {"examine", "liquidate", "complete_liquidation", "confirm_price"}


def dated(simulation: Simulation) -> list[dict[str, Any]]:
    """The commands of a simulation, each with the business time at which it was decided there."""
    return [
        content if content["type"] in BY_ITSELF else {"effective_at": at.isoformat(), **content}
        for at, content, _ in simulation.history
    ]


def submitted(ledger: Ledger, contents: Sequence[dict[str, Any]]) -> list[Outcome]:
    """Requests of up to so many commands, each of one actor."""
    outcomes: list[Outcome] = []
    for actor, of_actor in groupby(contents, key=itemgetter("actor")):
        commands = [parse_command({k: v for k, v in content.items() if k != "actor"}) for content in of_actor]
        for start in range(0, len(commands), AT_ONCE):
            outcomes += ledger.submit(commands[start : start + AT_ONCE], actor=actor)
    return outcomes


def answers(outcomes: Sequence[Outcome]) -> list[str]:
    """Of each outcome whether it was recorded, or the code of its refusal."""
    return ["recorded" if isinstance(outcome, Recorded) else outcome.refusal.code for outcome in outcomes]


def require_same_wallets(there: Account | None, expected: Account) -> None:
    """The same balances, positions and settings; an asset that a wallet never had any of may be left out."""
    assert there is not None
    for wallet in expected.wallets.all():
        kept = there.wallets.wallet(wallet.name)
        for asset, balance in wallet.balances.items():
            assert kept.balance(asset) == balance, (expected.id, wallet.name, asset)
        assert {k: v for k, v in kept.positions.items() if any(v)} == {
            k: v for k, v in wallet.positions.items() if any(v)
        }
        assert kept.next_hours == wallet.next_hours
    assert (there.status, there.blocks) == (expected.status, expected.blocks)
    assert (there.modes, there.leverages) == (expected.modes, expected.leverages)


def require_same_holds(connection: Connection, position: int, expected: Account) -> None:
    rows = holds(connection, position, account_id=expected.id, limit=1000)
    there = {row["hold_id"]: (row["wallet"], row["asset"], row["amount"]) for row in rows}
    assert there == {name: tuple(one) for name, one in expected.holds.items()}


def require_same_withdrawals(connection: Connection, position: int, expected: Account) -> None:
    rows = withdrawals(connection, position, account_id=expected.id, limit=1000)
    there = {row["withdrawal_id"]: (row["asset"], row["amount"], row["status"]) for row in rows}
    assert there == {name: tuple(one) for name, one in expected.withdrawals.items()}


@pytest.mark.parametrize("seed", [21, 22])
def test_replay_equals_state_equals_projections_and_the_same_key_twice_is_once(database: str, seed: int) -> None:
    simulation = run(STEPS, seed)
    contents = dated(simulation)
    with Ledger(database) as ledger:
        assert answers(submitted(ledger, contents)) == [answer for _, _, answer in simulation.history]
        with connect(database) as connection:
            end = log_end(connection).position
        assert end == len(simulation.book.log)
        recorded = [
            content
            for content, (_, _, answer) in zip(contents, simulation.history, strict=True)
            if answer == "recorded"
        ]
        again = submitted(ledger, recorded)
        assert all(isinstance(outcome, Recorded) and outcome.replayed for outcome in again)
        for name, expected in simulation.book.accounts.items():
            assert ledger.account(name) == expected
    with connect(database) as connection:
        assert log_end(connection).position == end
    assert catch_up(database) == end
    with connect(database, autocommit=True) as connection, open_snapshot(connection) as snapshot:
        for name, expected in simulation.book.accounts.items():
            require_same_wallets(account_at(snapshot.connection, snapshot.position, name), expected)
            require_same_holds(snapshot.connection, snapshot.position, expected)
            require_same_withdrawals(snapshot.connection, snapshot.position, expected)
    report = verify(database)
    assert (report.differences, report.trial_balance_zero, report.events) == ([], True, end)
