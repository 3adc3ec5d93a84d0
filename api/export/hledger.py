"""Accounts as hledger reads them: commodities quoted, as some begin with digits, and what is told of events as tags."""

from collections.abc import Sequence
from datetime import date
from urllib.parse import quote

from api.answers import moment
from api.export.names import OPENING_BALANCES
from api.export.plain_text import Posting, Range
from ledger.log import RecordedEvent
from ledger.money import plain

# A comma or the line's end ends a tag; what else is not plain text is written as in a URL too.
_PLAIN_IN_TAGS = "/:@!$&'()*+;=?#[] "


class Hledger:
    """The dialect of hledger 1.25 and later, `--strict` included."""

    def heading(self, told: Range) -> str:
        return f"; The ledger after event {told.after} up to event {told.until}\ndecimal-mark .\n"

    def account(self, name: str, day: date) -> str:
        del day  # Accounts of hledger are there from the beginning.
        return f"account {name}\n"

    def commodity(self, name: str, decimals: int, day: date) -> str:
        del day
        # hledger shows and balances with as many decimals as it is told here.
        return f'commodity 1000.{"0" * decimals} "{name}"\n'

    def opening(self, posting: Posting, day: date) -> str:
        _, commodity, amount = posting
        against = _line(Posting(OPENING_BALANCES, commodity, -amount))
        return f"{day} * opening balance\n{_line(posting)}{against}\n"

    def balance(self, posting: Posting, day: date) -> str:
        held = f'{plain(posting.amount)} "{posting.commodity}"'
        return f'{day} * closing balance\n    {posting.account}  0 "{posting.commodity}" = {held}\n\n'

    def transaction(self, recorded: RecordedEvent, lines: Sequence[Posting]) -> str:
        event = recorded.event
        tags = {
            "position": recorded.position,
            "topic": event.TOPIC,
            "account_id": event.account_id,
            "effective_at": moment(event.effective_at),
            "recorded_at": moment(recorded.recorded_at),
            "correlation_id": quote(event.correlation_id, safe=_PLAIN_IN_TAGS),
        }
        told = "".join(f"    ; {name}:{value}\n" for name, value in tags.items())
        return f"{recorded.recorded_at.date()} * {event.TOPIC}\n{told}{''.join(map(_line, lines))}\n"


def _line(posting: Posting) -> str:
    return f'    {posting.account}  {plain(posting.amount)} "{posting.commodity}"\n'
