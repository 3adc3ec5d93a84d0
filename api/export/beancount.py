"""Accounts as beancount reads them: an exact balance is one with a tolerance of zero.

Beancount computes with 28 significant digits. The file has every digit, and which of its lines need more is counted:
what comes of them may differ in the last digits, and `bean-check` then says that a balance fails.
"""

from collections.abc import Sequence
from datetime import date

from api.answers import moment
from api.export.names import OPENING_BALANCES
from api.export.plain_text import Posting, Range
from ledger.log import RecordedEvent
from ledger.money import plain

DIGITS = 28
"""So many of an amount are what beancount computes with."""


class Beancount:
    """The dialect of bean-check and bean-query; counts the lines of amounts that are too long for it."""

    def __init__(self) -> None:
        self.long_lines = 0
        self.first_long = ""

    def heading(self, told: Range) -> str:
        return f'option "title" "The ledger after event {told.after} up to event {told.until}"\n'

    def account(self, name: str, day: date) -> str:
        return f"{day} open {name}\n"

    def commodity(self, name: str, decimals: int, day: date) -> str:
        return f"{day} commodity {name}\n  decimals: {decimals}\n"

    def opening(self, posting: Posting, day: date) -> str:
        _, commodity, amount = posting
        lines = (posting, Posting(OPENING_BALANCES, commodity, -amount))
        return f'{day} * "opening balance"\n{self._lines(lines, "its opening balance")}'

    def balance(self, posting: Posting, day: date) -> str:
        amount = self._amount(posting, "its closing balance")
        return f"{day} balance {posting.account}  {amount} ~ 0 {posting.commodity}\n"

    def transaction(self, recorded: RecordedEvent, lines: Sequence[Posting]) -> str:
        event = recorded.event
        return (
            f'{recorded.recorded_at.date()} * "{event.TOPIC}"\n  position: {recorded.position}\n'
            f'  topic: "{event.TOPIC}"\n  account_id: "{event.account_id}"\n'
            f'  effective_at: "{moment(event.effective_at)}"\n  recorded_at: "{moment(recorded.recorded_at)}"\n'
            f"  correlation_id: {_quoted(event.correlation_id)}\n{self._lines(lines, f'event {recorded.position}')}"
        )

    def _lines(self, postings: Sequence[Posting], place: str) -> str:
        return "".join(f"  {one.account}  {self._amount(one, place)} {one.commodity}\n" for one in postings)

    def _amount(self, posting: Posting, place: str) -> str:
        text = plain(posting.amount)
        if len(text) > DIGITS and sum(map(str.isdigit, text.lstrip("-0."))) > DIGITS:
            self.first_long = self.first_long or f"{posting.account}, {place}"
            self.long_lines += 1
        return text


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
