"""Stories on the real write path: commands in, answers from the projections, and books that balance at the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger import Ledger, Recorded, Refused, parse_command
from ledger.postgres import connect
from projections.questions.account import account_answer
from projections.questions.trial_balance import trial_balance_answer
from projections.runner import catch_up
from projections.snapshot import open_snapshot
from projections.verify import verify

DAWN = datetime(2020, 3, 12, tzinfo=UTC)
LISTINGS: list[dict[str, Any]] = [
    {"type": "list_asset", "asset": "USDT", "scale": 8, "daily_interest_rate": "0"},
    {"type": "list_asset", "asset": "BTC", "scale": 8, "daily_interest_rate": "0"},
    {"type": "list_asset", "asset": "ETH", "scale": 8, "daily_interest_rate": "0"},
    {"type": "list_pair", "pair": "BTC/USDT", "price_scale": 2, "max_leverage": "10"},
    {"type": "list_pair", "pair": "ETH/USDT", "price_scale": 2, "max_leverage": "5"},
]


class Story:
    """What is told, step by step; every step has a key of its own and the business time of the story's clock."""

    def __init__(self, ledger: Ledger, url: str) -> None:
        self.ledger, self.url, self.at, self._steps = ledger, url, DAWN, 0

    def command(self, account_id: str | None, asked: dict[str, Any]) -> dict[str, Any]:
        """The command as a client would send it."""
        self._steps += 1
        named = {} if account_id is None else {"account_id": account_id}
        own_time = {} if asked["type"] in ("examine", "liquidate") else {"effective_at": self.at.isoformat()}
        return {"idempotency_key": f"step-{self._steps}", **own_time, **named, **asked}

    def send(self, content: dict[str, Any]) -> Recorded | Refused:
        (outcome,) = self.ledger.submit([parse_command(content)], actor="storyteller")
        return outcome

    def does(self, account_id: str | None, **asked: Any) -> list[str]:
        """The command is recorded; the topics of its events."""
        outcome = self.send(self.command(account_id, asked))
        assert isinstance(outcome, Recorded), outcome.refusal.detail
        return [event.topic for event in outcome.events]

    def is_refused(self, account_id: str | None, code: str, **asked: Any) -> str:
        """The command is refused with this code; what is said to it."""
        outcome = self.send(self.command(account_id, asked))
        assert isinstance(outcome, Refused), outcome
        assert outcome.refusal.code == code, outcome.refusal.detail
        return outcome.refusal.detail

    def marks(self, **prices: str) -> None:
        """Prices are marked, by the base asset's name."""
        named = {f"{base}/USDT": price for base, price in prices.items()}
        self.does(None, type="mark_prices", prices=named, source="index")

    def trader(self, account_id: str, **deposits: str) -> None:
        """An account is opened and funded."""
        self.does(account_id, type="open_account")
        for asset, amount in deposits.items():
            self.does(account_id, type="deposit", asset=asset, amount=amount)

    def answer(self, account_id: str) -> dict[str, Any]:
        """What the account's page says now."""
        catch_up(self.url)
        with connect(self.url, autocommit=True) as connection, open_snapshot(connection) as snapshot:
            there = account_answer(snapshot.connection, snapshot.position, account_id)
        assert there is not None
        return there

    def books(self) -> dict[str, Any]:
        """The trial balance by asset."""
        catch_up(self.url)
        with connect(self.url, autocommit=True) as connection, open_snapshot(connection) as snapshot:
            assets: dict[str, Any] = trial_balance_answer(snapshot.connection, snapshot.position)["assets"]
        return assets


def in_wallet(there: dict[str, Any], wallet: str, asset: str) -> dict[str, str]:
    """What a wallet of an answer has of an asset, zeros left out."""
    if wallet == "spot":
        figures = there["spot"].get(asset, {})
    else:
        part = there["cross"] if wallet == "cross" else there["isolated"][wallet.partition(":")[2]]
        figures = part["assets"].get(asset, {})
    return {name: amount for name, amount in figures.items() if amount != "0"}


@contextmanager
def told(url: str) -> Iterator[Story]:
    """A story on a fresh database; at its end the books balance and everything agrees with the log."""
    with Ledger(url) as ledger:
        story = Story(ledger, url)
        for asked in LISTINGS:
            story.does(None, **asked)
        yield story
    totals = {asset: books["total"] for asset, books in story.books().items()}
    assert set(totals.values()) == {"0"}, totals
    report = verify(url)
    assert (report.differences, report.trial_balance_zero) == ([], True)


@pytest.fixture
def story(database: str) -> Iterator[Story]:
    """A story on a fresh database of its own."""
    with told(database) as story:
        yield story
