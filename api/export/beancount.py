"""Accounts as beancount reads them: an exact balance is one with a tolerance of zero.

Beancount computes with 28 significant digits. The file has every digit; of a balance that needs more, `bean-check`
says that it fails.
"""

from collections.abc import Sequence
from datetime import date

from api.answers import moment
from api.export.names import OPENING_BALANCES
from api.export.plain_text import Posting, Range
from ledger.log import RecordedEvent
from ledger.money import plain


class Beancount:
    """The dialect of bean-check and bean-query."""

    def heading(self, told: Range) -> str:
        return f'option "title" "The ledger after event {told.after} up to event {told.until}"\n'

    def account(self, name: str, day: date) -> str:
        return f"{day} open {name}\n"

    def commodity(self, name: str, decimals: int, day: date) -> str:
        return f"{day} commodity {name}\n  decimals: {decimals}\n"

    def opening(self, posting: Posting, day: date) -> str:
        _, commodity, amount = posting
        against = _line(Posting(OPENING_BALANCES, commodity, -amount))
        return f'{day} * "opening balance"\n{_line(posting)}{against}'

    def balance(self, posting: Posting, day: date) -> str:
        return f"{day} balance {posting.account}  {plain(posting.amount)} ~ 0 {posting.commodity}\n"

    def transaction(self, recorded: RecordedEvent, lines: Sequence[Posting]) -> str:
        event = recorded.event
        return (
            f'{recorded.recorded_at.date()} * "{event.TOPIC}"\n  position: {recorded.position}\n'
            f'  topic: "{event.TOPIC}"\n  account_id: "{event.account_id}"\n'
            f'  effective_at: "{moment(event.effective_at)}"\n  recorded_at: "{moment(recorded.recorded_at)}"\n'
            f"  correlation_id: {_quoted(event.correlation_id)}\n{''.join(map(_line, lines))}"
        )


def _line(posting: Posting) -> str:
    return f"  {posting.account}  {plain(posting.amount)} {posting.commodity}\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
