"""What is asked for: the address of every page of the console, and the questions that pages ask once they are there."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from benchmarks.reading.log import MadeLog

CONSOLE = "/console"
BASELINE = "/v1/accounts/{}"
"""What every page is measured beside: one account, as the API answers it."""
PART = 1_000
"""How many positions of the log lie between the two points that are explained."""
CHART = "wallet=cross&points=300&span_seconds=604800&around_position="
"""What an account's page asks for its chart: seven days around what is shown."""
ASKED = "asked, "
SHOCKS = "shock.BTC%2FUSDT=-20%25"


class Places(NamedTuple):
    """What the addresses name: the log as it was made, its last position, a story, a margin call, a moment in time."""

    log: MadeLog
    position: int
    liquidation_id: str
    call: tuple[str, int]
    recorded_at: str

    @property
    def middle(self) -> int:
        return self.position // 2


def is_page(name: str) -> bool:
    """Whether an address is that of a page, which is to be there in time, and no question of one."""
    return not name.startswith(ASKED)


def addresses_of(places: Places) -> dict[str, str]:
    """Every address by its name, those of pages first."""
    pages = {**_pages(places), **_accounts(places), **_trail(places), **_reports(places)}
    return {**{name: CONSOLE + path for name, path in pages.items()}, **_questions(places)}


def _pages(places: Places) -> Mapping[str, str]:
    call = f"{quote(places.call[0])}/{places.call[1]}"
    operation = {
        "account_id": places.log.short_account,
        "blocks": "trade",
        "reason": "case",
        "key": "console:benchmark",
    }
    return {
        "overview": "/",
        "event": f"/events/{places.middle}",
        "liquidations": "/liquidations",
        "margin calls": "/margin-calls",
        "story of a liquidation": f"/liquidations/{quote(places.liquidation_id)}",
        "story of a margin call": f"/margin-calls/{call}",
        "operations": "/operations",
        "operation, its form": "/operations/freeze_account",
        "operation, its preview": f"/operations/freeze_account?{urlencode(operation)}",
        "seal": "/seal",
        "reads": "/reads",
        "search, an account": f"/search?q={places.log.long_account}",
        "search, a position": f"/search?q={places.middle}",
        "search, how an id begins": "/search?q=fallen-",
        "search, nothing": "/search?q=nothing-is-called-so",
    }


def _accounts(places: Places) -> Mapping[str, str]:
    long, short = (f"/accounts/{quote(name)}" for name in (places.log.long_account, places.log.short_account))
    end, begin = places.position, places.position - PART
    return {
        "accounts": "/accounts",
        "accounts, frozen": "/accounts?status=frozen",
        "accounts, wallets in a band": "/accounts?band=normal",
        "account": short,
        "account, then": f"{short}?version={places.log.short_version // 2}",
        "account at a position": f"{short}?position={places.middle}",
        "long account": long,
        "long account, then": f"{long}?version={places.log.long_version // 2}",
        "long account at a position": f"{long}?position={places.middle}",
        "explain": f"{short}/explain",
        "explain, long account": f"{long}/explain?from={begin}&to={end}",
        "explain, long account, all": f"{long}/explain",
    }


def _trail(places: Places) -> Mapping[str, str]:
    log = places.log
    filters: dict[str, dict[str, str]] = {
        "account": {"account_id": log.long_account},
        "account with few events": {"account_id": log.short_account},
        "topic": {"topic": "trade.booked"},
        "seldom topic": {"topic": "account.frozen"},
        "actor": {"actor": log.actor},
        "request": {"correlation_id": log.correlation_id},
        "time": {"recorded_from": places.recorded_at},
        "account and topic": {"account_id": log.long_account, "topic": "loan.borrowed"},
        "nothing": {"account_id": log.short_account, "topic": "account.frozen"},
    }
    rows: dict[str, dict[str, Any]] = {
        "trail, more rows": {"before": places.middle},
        "trail of a topic, more rows": {"before": places.middle, "topic": "trade.booked"},
        "trail of an actor, more rows": {"before": places.middle, "actor": log.actor},
    }
    return {
        "trail": "/events",
        **{f"trail, {name}": f"/events?{urlencode(one)}" for name, one in filters.items()},
        **{name: f"/events/rows?{urlencode(one)}" for name, one in rows.items()},
    }


def _reports(places: Places) -> Mapping[str, str]:
    then = f"position={places.middle}"
    of_account = {name: f"account_id={name}" for name in (places.log.long_account, places.log.short_account)}
    shown = {
        "trial balance": ("trial-balance", ""),
        "one book": ("book", "book=fees&asset=USDT"),
        "loans": ("loans", ""),
        "margin levels": ("margin-levels", ""),
        "exposure": ("exposure", ""),
        "insurance": ("insurance", ""),
        "what if": ("what-if", ""),
        "what if, a shock": ("what-if", SHOCKS),
        "what if, a sweep": ("what-if", "sweep.of=BTC%2FUSDT&sweep.from=-20%25&sweep.to=%2B20%25&sweep.step=10%25"),
        **{f"statement, {name}": ("statement", one) for name, one in of_account.items()},
        "trial balance, then": ("trial-balance", then),
        "loans, then": ("loans", then),
        "margin levels, then": ("margin-levels", then),
        "exposure, then": ("exposure", then),
        "insurance, then": ("insurance", then),
    }
    addresses = {f"report, {name}": f"/reports/{page}{_query(asked)}" for name, (page, asked) in shown.items()}
    return {"reports": "/reports", **addresses}


def _query(asked: str) -> str:
    return f"?{asked}" if asked else ""


def _questions(places: Places) -> Mapping[str, str]:
    """What pages ask through their socket: a step of the slider, the chart, the overview's pulse."""
    long, short = (f"/v1/accounts/{quote(name)}" for name in (places.log.long_account, places.log.short_account))
    version = places.log.long_version // 2
    middle = f"from_position={places.middle - 1}&to_position={places.middle}&limit=1"
    return {
        f"{ASKED}slider: the event": f"{long}/events?after_version={version - 1}&limit=1",
        f"{ASKED}slider: what it changed": f"{long}/diff?{middle}",
        f"{ASKED}chart": f"{short}/level-path?{CHART}{places.position}",
        f"{ASKED}chart of the long account": f"{long}/level-path?{CHART}{places.middle}",
        f"{ASKED}live: health": "/health",
        f"{ASKED}live: wallets by band": "/v1/reports/margin-levels?limit=1",
        f"{ASKED}live: trial balance": "/v1/reports/trial-balance",
        f"{ASKED}live: exposure": "/v1/reports/exposure",
    }
