"""What can be downloaded: each report with the question it is, and its rows and columns as a spreadsheet has them."""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from api.asking import MOST_ROWS
from api.console.asking import Asker
from api.console.forms import in_utc
from api.routes.statements import COLUMNS as STATEMENT_COLUMNS

Answer = dict[str, Any]
Query = dict[str, str]


class Report(NamedTuple):
    """Where a report is asked for, the list of it that has pages, and its rows where they are not those of the list."""

    path: str
    columns: tuple[str, ...]
    listed: str | None = None
    rows: Callable[[Answer], Iterator[Answer]] | None = None


def _trial_balance_rows(answer: Answer) -> Iterator[Answer]:
    for asset, sums in answer["assets"].items():
        for book, amount in [*sums["books"].items(), ("total", sums["total"])]:
            yield {"asset": asset, "book": book, "amount": amount}


def _exposure_rows(answer: Answer) -> Iterator[Answer]:
    for pair, sides in answer["pairs"].items():
        figures = {f"{side}_{name}": value for side, one in sides.items() for name, value in one.items()}
        yield {"pair": pair, **figures}


def _fund_rows(answer: Answer) -> Iterator[Answer]:
    return ({"asset": asset, "held": held} for asset, held in answer["assets"].items())


def _sweep_rows(answer: Answer) -> Iterator[Answer]:
    return iter(answer["sweep"]["steps"] if "sweep" in answer else [])


def _acted_on_rows(answer: Answer) -> Iterator[Answer]:
    for one in answer["wallets"]:
        levels = {f"margin_level_{when}": level for when, level in one["margin_level"].items()}
        equity = {f"equity_{when}": value for when, value in one["equity"].items()}
        close_out = one.get("close_out") or {}
        yield {**one, **levels, **equity, **close_out}


_ACTED_ON = ("account_id", "wallet", "outcome", "margin_level_before", "margin_level_after")
_CLOSED_OUT = ("equity_before", "equity_after", "sold", "repaid", "fee", "covered", "repaid_value", "deficit")
_SWEPT = ("change", "called", "liquidated", "repaid_value", "fee_value", "deficit", "uncovered_deficit", "fund_after")
_SIDES = tuple(f"{side}_{name}" for side in ("long", "short") for name in ("positions", "quantity", "value"))
_LINE = ("position", "line", "recorded_at", "effective_at", "topic", "book", "asset", "amount", "balance")
_LOAN = ("account_id", "wallet", "asset", "principal", "interest", "next_hour", "charged")
_LEVEL = ("account_id", "wallet", "band", "margin_level", "collateral_margin_level", "total_assets", "total_debt")
_LEVEL_MORE = ("equity", "debts", "tier", "max_leverage", "liquidation_id", "called_at", "lacking_prices")
_DEFICIT = ("position", "liquidation_id", "account_id", "wallet", "asset", "value", "uncovered", "uncovered_so_far")
_DEBTOR = ("account_id", "wallets", "debt_value", "collateral_value", "debts", "collateral")
_NEAR = ("account_id", "wallet", "band", "margin_level", "total_debt", "move_percent", "liquidation_price")
_EXPOSURE = "/v1/reports/exposure"
_INSURANCE = "/v1/reports/insurance"
TRIAL_BALANCE = "/v1/reports/trial-balance"
WHAT_IF = "/v1/risk/what-if"
REPORTS = {
    "trial-balance": Report(TRIAL_BALANCE, ("asset", "book", "amount"), rows=_trial_balance_rows),
    "book": Report("/v1/reports/book", _LINE, "lines"),
    "loans": Report("/v1/loans", _LOAN, "loans"),
    "margin-levels": Report("/v1/reports/margin-levels", _LEVEL + _LEVEL_MORE, "wallets"),
    "exposure": Report(_EXPOSURE, ("pair", *_SIDES, "net_quantity", "net_value"), rows=_exposure_rows),
    "debtors": Report(_EXPOSURE, _DEBTOR, rows=lambda answer: iter(answer["debtors"])),
    "near": Report(_EXPOSURE, _NEAR, rows=lambda answer: iter(answer["near"]["wallets"])),
    "insurance": Report(_INSURANCE, ("asset", "held"), rows=_fund_rows),
    "uncovered": Report(_INSURANCE, _DEFICIT, "uncovered_deficits"),
    "what-if": Report(WHAT_IF, _ACTED_ON + _CLOSED_OUT, "wallets", _acted_on_rows),
    "sweep": Report(WHAT_IF, _SWEPT, rows=_sweep_rows),
    "statement": Report("/v1/accounts/{account_id}/statement", STATEMENT_COLUMNS, "lines"),
}


async def answer_to(ask: Asker, report: Report, query: Query) -> Answer:
    """The answer to a report as its page asks it."""
    if report.path == WHAT_IF:
        path, body = what_if_asked(query)
        return await ask.post(path, body)
    path, parameters = asked(report, query)
    return await ask.get(path, **parameters)


def asked(report: Report, query: Query) -> tuple[str, Query]:
    """The path and parameters of a question; a day stands for its beginning or, as the end of a period, its end."""
    parameters = {name: value.strip() for name, value in query.items() if value.strip()}
    for name, time in (("from", "T00:00:00Z"), ("to", "T23:59:59.999999Z")):
        if len(parameters.get(name, "")) == len("2020-03-12"):
            parameters[name] += time
    for name in ("recorded_at", "effective_at"):
        if name in parameters:
            parameters[name] = in_utc(parameters[name])
    path = report.path
    if "{account_id}" in path:
        account_id = quote(parameters.pop("account_id", ""), safe="").replace(".", "%2E")
        path = path.replace("{account_id}", account_id)
    return path, parameters


SHOCK, SWEEP = "shock.", "sweep."
PAGE = ("after", "before", "limit", "order")
"""Parameters that say which page is shown: a file has all of them."""
_AS_OF = ("position", "recorded_at", "effective_at", "after", "limit")


def what_if_asked(query: Query) -> tuple[str, Answer]:
    """The what-if that a query states: `shock.BTC/USDT=-20%`, `sweep.of=all` and so on; what is empty is left out."""
    stated = {name: value.strip() for name, value in query.items() if value.strip()}
    shocks = {name.removeprefix(SHOCK): value for name, value in stated.items() if name.startswith(SHOCK)}
    sweep = {name.removeprefix(SWEEP): value for name, value in stated.items() if name.startswith(SWEEP)}
    parameters = [f"{name}={quote(value, safe='')}" for name, value in stated.items() if name in _AS_OF]
    path = WHAT_IF + (f"?{'&'.join(parameters)}" if parameters else "")
    return path, {"shocks": shocks, **({"sweep": sweep} if sweep.get("of") else {})}


async def pages_of(ask: Asker, report: Report, query: Query) -> AsyncIterator[Answer]:
    """The answers of all pages from the first row on, all as of the position of the first answer."""
    query = {name: value for name, value in query.items() if name not in PAGE}
    query["limit"] = str(MOST_ROWS)
    if report.path == TRIAL_BALANCE:
        del query["limit"]
    answer = await answer_to(ask, report, query)
    yield answer
    if not query.get("recorded_at"):
        query["position"] = str(answer["position"])
    # What a sweep does stands in the first answer.
    query = {name: value for name, value in query.items() if not name.startswith(SWEEP)}
    while report.listed is not None and answer["next"] is not None:
        query["after"] = str(answer["next"])
        answer = await answer_to(ask, report, query)
        yield answer


def rows_of(report: Report, answer: Answer) -> Iterator[Answer]:
    """The rows of an answer, or of a page of it."""
    if report.rows is not None:
        return report.rows(answer)
    assert report.listed is not None
    return iter(answer[report.listed])


def cells_of(report: Report, row: Mapping[str, Any]) -> list[str]:
    """A row as a spreadsheet has it: exact amounts as they are, what has parts as JSON, nothing as nothing."""
    return [_cell(row.get(column)) for column in report.columns]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, dict | list) else str(value)
