"""Stories that end in liquidations and margin calls, sent to a ledger on a real database as clients send them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ledger import Ledger, Recorded, parse_command
from ledger.log import log_end
from ledger.postgres import connect
from projections.questions.explanation import explanation_of
from projections.questions.explanation_case import case_of
from projections.questions.explanation_path import Span
from tests.databases import unguard

Told = dict[str, Any]
BUCKET = "isolated:BTC/USDT"
DAY = 86_400


class Exchange:
    """A ledger that commands are sent to, each at a business time of its own; all must be recorded."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def send(self, *commands: Told, at: str, actor: str = "service:engine") -> list[Recorded]:
        """Commands of one request, all of one business time of 2026-01-15."""
        stated = [parse_command({"effective_at": f"2026-01-15T{at}Z", **one}) for one in commands]
        outcomes = self._ledger.submit(stated, actor=actor, correlation_id=f"request:{at}")
        assert all(isinstance(one, Recorded) for one in outcomes), outcomes
        return [one for one in outcomes if isinstance(one, Recorded)]

    def examine(self, account_id: str, wallet: str = "cross") -> Recorded:
        """What the ledger does by itself after a vector: without a key, dated by the newest prices."""
        command = parse_command({"type": "examine", "account_id": account_id, "wallet": wallet})
        (outcome,) = self._ledger.submit([command], actor="ledger:examination", correlation_id="examination")
        assert isinstance(outcome, Recorded), outcome
        return outcome

    def mark(self, at: str, **prices: str) -> int:
        """Prices by base asset; returns the log position of the vector."""
        vector = {f"{base}/USDT": price for base, price in prices.items()}
        (outcome,) = self.send({"type": "mark_prices", "prices": vector, "source": "index"}, at=at)
        return outcome.position


@contextmanager
def opened_exchange(url: str) -> Iterator[Exchange]:
    """Three assets that cost a day what makes an hour easily told, two pairs (10x, 5x), prices fresh for a day."""
    with Ledger(url) as ledger:
        exchange = Exchange(ledger)
        rates = {"USDT": "0.00024", "BTC": "0.0024", "ETH": "0.0024"}
        listed = [
            {"type": "list_asset", "asset": asset, "scale": 8, "daily_interest_rate": rate, "idempotency_key": asset}
            for asset, rate in rates.items()
        ]
        pairs = [
            {"type": "list_pair", "pair": pair, "price_scale": 2, "max_leverage": leverage, "idempotency_key": pair}
            for pair, leverage in (("BTC/USDT", "10"), ("ETH/USDT", "5"))
        ]
        ages = [
            {"type": "set_risk_limits", "scope": scope, "price_max_age_seconds": DAY, "idempotency_key": f"age:{scope}"}
            for scope in ("cross", "BTC/USDT", "ETH/USDT")
        ]
        exchange.send(*listed, *pairs, *ages, at="10:00:00")
        exchange.mark("10:00:00", BTC="50000", ETH="2000")
        yield exchange


def long_in_the_pool(exchange: Exchange, account_id: str, at: str = "11:00:00") -> None:
    """10,000 USDT of its own and 20,000 borrowed in cross: 0.6 BTC bought at 50,000, all of it held."""
    keyed = {"account_id": account_id, "asset": "USDT"}
    exchange.send(
        {"type": "open_account", "account_id": account_id},
        {**keyed, "type": "deposit", "deposit_id": "d1", "amount": "10000"},
        {**keyed, "type": "transfer", "from": "spot", "to": "cross", "amount": "10000", "idempotency_key": "t1"},
        fill(account_id, "buy", "0.6", "50000", auto_borrow=True),
        at=at,
    )


def short_in_a_bucket(exchange: Exchange, account_id: str, at: str = "11:00:00") -> None:
    """1,000 USDT as margin, 0.1 BTC borrowed and sold at 50,000: 6,000 USDT against 0.1 BTC."""
    exchange.send(
        {"type": "open_account", "account_id": account_id},
        {"type": "deposit", "account_id": account_id, "deposit_id": "d1", "asset": "USDT", "amount": "1500"},
        {**_pair(account_id), "type": "set_margin_mode", "mode": "isolated", "idempotency_key": "m1"},
        {**_pair(account_id), "type": "add_margin", "asset": "USDT", "amount": "1000", "idempotency_key": "m2"},
        fill(account_id, "sell", "0.1", "50000", auto_borrow=True),
        at=at,
    )


def _pair(account_id: str) -> Told:
    return {"account_id": account_id, "pair": "BTC/USDT"}


def fill(account_id: str, side: str, quantity: str, price: str, trade_id: str = "t-1", **fields: Any) -> Told:
    terms = {"trade_id": trade_id, "side": side, "quantity": quantity, "price": price, "fee": "0", "fee_asset": "USDT"}
    return {**_pair(account_id), "type": "book_fill", **terms, **fields}


def tamper(url: str, position: int, was: str, becomes: str) -> None:
    """Writes another text into the bytes of a recorded event, which nobody may."""
    with connect(url) as connection:
        unguard(connection)
        changed = connection.execute(
            "update events set state = convert_to(replace(convert_from(state, 'UTF8'), %s, %s), 'UTF8')"
            " where notification_id = %s and position(%s in convert_from(state, 'UTF8')) > 0",
            [was, becomes, position, was],
        )
        assert changed.rowcount == 1


def explained(url: str, named: str, known: int | None = None, **options: Any) -> Told:
    """The explanation of what is named ACCOUNT.VERSION, as of a position (None: of all that is in the log)."""
    account_id, _, version = named.rpartition(".")
    with connect(url) as connection:
        case = case_of(connection, account_id, int(version), known or log_end(connection).position)
        return explanation_of(connection, case, Span(**options))


def named(outcome: Recorded, topic: str = "liquidation.started") -> str:
    """What the event under a topic among those of an answer is named: ACCOUNT.VERSION."""
    (version,) = (one.version for one in outcome.events if one.topic == topic)
    return f"{outcome.account_id}.{version}"


def position_of(outcome: Recorded, topic: str) -> int:
    """Where in the log the first event of an answer under a topic stands."""
    return next(one.position for one in outcome.events if one.topic == topic)


def wrong(found: Told) -> list[str]:
    """The numbers that do not agree, by name and in order."""
    return [check["name"] for check in found["checks"] if not check["agrees"]]
