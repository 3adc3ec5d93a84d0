"""A statement as a page to print: HTML with its style inside, loading nothing, a section for each wallet on A4."""

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from html import escape
from pathlib import Path

from api.answers import amount, moment
from api.statement.as_json import FORMAT, balance_told
from ledger.words import CROSS, SPOT, Part, pair_of
from projections.questions.statement import AssetTold, LineTold, Statement, WalletTold
from projections.questions.statement_range import End

STYLE = re.sub(r"\s+", " ", (Path(__file__).parent / "page.css").read_text(encoding="utf-8")).strip()
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a browser may do for this page: show it, with the style that is in it."""
NAMES = {
    "funds.deposited": "Deposit",
    "withdrawal.requested": "Withdrawal requested",
    "withdrawal.settled": "Withdrawal settled",
    "withdrawal.cancelled": "Withdrawal cancelled",
    "funds.transferred": "Transfer between wallets",
    "transfer.sent": "Sent to another account",
    "transfer.received": "Received from another account",
    "margin.added": "Margin added",
    "margin.removed": "Margin removed",
    "funds.held": "Held for an order",
    "hold.released": "Hold released",
    "loan.borrowed": "Loan",
    "loan.repaid": "Repayment",
    "interest.accrued": "Interest charged",
    "trade.booked": "Trade",
    "liquidation.started": "Liquidation started, holds released",
    "liquidation.filled": "Liquidation",
    "liquidation.completed": "Liquidation fee",
    "deficit.covered": "Deficit covered",
    "adjustment.posted": "Adjustment",
    "event.reversed": "Reversal",
}
"""Events that post lines, by topic, in the words of who reads a statement."""
PARTS = {Part.FREE: "free", Part.LOCKED: "held", Part.PRINCIPAL: "loan", Part.INTEREST: "interest"}
SUMS = {"free": "Free", "locked": "Held", "borrowed": "Borrowed", "interest": "Interest owed", "net": "Net"}
ORDERS = {"recorded_at": ("Recorded", "counts from"), "effective_at": ("Counts from", "recorded")}
"""The times of a line, the one that lines are ordered by first; the other is told where it is of another second."""
MOST_DIGITS_IN_LINE = 22
NOTE = (
    "Amounts are exact; what is owed is negative in the lines and positive in the balances. Times are UTC. A line is "
    "named by the position of its event in the log and its number in it; what is said of later events is as known at "
    "the end of the range. Positions are proved by the checkpoints of the log."
)
_TURNING = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Signs that turn the text after them around, by which a reference may look like another one."""
_UNSHOWN = dict.fromkeys((*range(32), *range(127, 160), *_TURNING), "\ufffd") | {ord(one): " " for one in "\t\n\r"}


def write_page(statement: Statement) -> Iterator[str]:
    """The document in parts."""
    yield _head(statement)
    for wallet, lines in statement.told():
        yield f"<section{_widths(wallet)}>\n<h2>{_wallet_name(wallet.wallet)}</h2>\n"
        yield _balances(wallet)
        if wallet.lines:
            yield _lines_heading(wallet, statement.span.by)
            yield from (_line(line, statement.span.by) for line in lines)
            yield "</tbody></table></div>\n"
        yield "</section>\n"
    if not statement.wallets:
        yield "<p>Nothing was held, owed or moved.</p>\n"
    yield f'<p class="note">{escape(NOTE)}</p>\n</body>\n</html>\n'


def _head(statement: Statement) -> str:
    title = f"Account statement {escape(statement.account_id)}"
    # No id has a sign that style sheets or HTML take for one of theirs.
    style = STYLE.replace("ACCOUNT", statement.account_id)
    told = "".join(f"<dt>{name}</dt><dd>{value}</dd>\n" for name, value in _told_of(statement))
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="referrer" content="no-referrer">\n<style>{style}</style>\n</head>\n<body>\n'
        f'<h1>Account statement</h1>\n<p class="account">{escape(statement.account_id)}</p>\n<dl>\n{told}</dl>\n'
    )


def _told_of(statement: Statement) -> Iterator[tuple[str, str]]:
    span = statement.span
    dated = span.by == "effective_at"
    yield "Ordered by", "business time" if dated else "time of recording"
    yield "After", _end(span.first) or "the beginning"
    yield "Up to", _end(span.last)
    if dated:
        yield "As known at", _end(span.known)
    if statement.wallet is not None:
        yield "Only", _wallet_name(statement.wallet)
    yield "Lines", f"{sum(wallet.lines for wallet in statement.wallets)}"
    yield "Format", f"{FORMAT}"


def _end(end: End) -> str:
    if end.position is None:
        return "" if end.time is None else _time(end.time)
    if not end.position:
        return "the beginning" if end.time is None else _time(end.time)
    recorded = "" if end.recorded_at is None else f" (recorded {_time(end.recorded_at)})"
    return f"{'' if end.time is None else f'{_time(end.time)}: '}position {end.position} of the log{recorded}"


def _time(at: datetime) -> str:
    return moment(at).replace("T", " ").removesuffix("Z") + " UTC"


def _wallet_name(wallet: str) -> str:
    if wallet in (SPOT, CROSS):
        return {SPOT: "Spot wallet", CROSS: "Cross margin wallet"}[wallet]
    return f"Isolated margin wallet {escape(pair_of(wallet) or wallet)}"


def _balances(told: WalletTold) -> str:
    rows = "".join(row for asset in told.assets for row in _rows(asset))
    return (
        '<div class="scroll"><table class="sums">\n<thead><tr><th scope="col">Asset</th><th scope="col">Balance</th>'
        '<th scope="col" class="n">Opening</th><th scope="col" class="n">Closing</th></tr></thead>\n'
        f"<tbody>\n{rows}</tbody></table></div>\n"
    )


def _rows(told: AssetTold) -> Iterator[str]:
    """What there was at either end of each kind; the last row is what it comes to."""
    opening, closing = balance_told(told.opening), balance_told(told.closing)
    asset = told.asset
    for name, shown in SUMS.items():
        if name == "net" or opening[name] or closing[name]:
            cells = f"<td>{shown}</td>{_amount(opening[name])}{_amount(closing[name])}"
            yield f'<tr class="{name}"><td>{asset}</td>{cells}</tr>\n'
            asset = ""


def _lines_heading(wallet: WalletTold, by: str) -> str:
    first, other = ORDERS[by]
    heads = {"Line": "", f"{first}<br>{other}": "", "What": "what", "Part": "", "Amount": "n", "Balance": "n"}
    cells = "".join(f'<th scope="col" class="{kind}">{name}</th>' for name, kind in heads.items())
    return (
        f'<h3>{wallet.lines} line{"" if wallet.lines == 1 else "s"}</h3>\n<div class="scroll"><table class="lines">\n'
        f"<thead><tr>{cells}</tr></thead>\n<tbody>\n"
    )


def _line(line: LineTold, by: str) -> str:
    times = [_second(line.recorded_at), _second(line.effective_at)]
    if by == "effective_at":
        times.reverse()
    other = "" if times[0] == times[1] else f"<br>{times[1]}"
    return (
        f'<tr><td class="id">{line.id}</td><td class="time">{times[0]}{other}</td>'
        f'<td class="what">{_what(line)}</td><td>{line.asset} {PARTS[line.part]}</td>'
        f"{_amount(line.amount)}{_amount(line.balance)}</tr>\n"
    )


def _second(at: datetime) -> str:
    return moment(at)[:19].replace("T", " ")


def _what(line: LineTold) -> str:
    """What happened, of what, as what it was corrected, and what was written about it."""
    told = f"<b>{NAMES.get(line.topic, escape(line.topic))}</b>"
    if line.subject is not None:
        told += f" {_text(line.subject)}"
    marks = [
        "" if line.reverses is None else f"reverses event {line.reverses}",
        "" if line.reversed_by is None else f"reversed by event {line.reversed_by}",
        "" if line.reason_code is None else f"reason code {line.reason_code}",
        "" if line.erased is None else f"{' and '.join(line.erased)} erased",
        "" if line.unreadable is None else f"{' and '.join(line.unreadable)} not readable here",
    ]
    told += "".join(f'<span class="mark">{escape(mark)}</span>' for mark in marks if mark)
    texts = (("reference", line.reference), ("reason", line.reason))
    return told + "".join(f"<span>{name}: {_text(text)}</span>" for name, text in texts if text is not None)


def _text(text: str) -> str:
    """What somebody wrote: shown as it is, whatever it looks like, and turning nothing around it."""
    return f"<bdi>{escape(text.translate(_UNSHOWN))}</bdi>"


def _amount(value: Decimal) -> str:
    """An amount whose decimals have a width of their own, so that points stand below each other."""
    whole, point, decimals = amount(value).partition(".")
    return f'<td class="n">{whole}<span class="d">{point}{decimals}</span></td>'


def _widths(wallet: WalletTold) -> str:
    """How wide the decimals of the wallet are; amounts that two of do not fit beside the rest may be broken."""
    kind = ' class="long"' if wallet.whole_digits + wallet.decimals > MOST_DIGITS_IN_LINE else ""
    width = f"calc({wallet.decimals}ch + .35em)" if wallet.decimals else "0"
    return f'{kind} style="--d:{width}"'
