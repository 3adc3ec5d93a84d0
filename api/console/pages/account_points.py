"""Moments of an account's history as they are typed: log positions or times, of recording or of business."""

import re
from urllib.parse import quote

from api.console.asking import Refused
from api.console.forms import asked_by, chosen, in_utc, written
from api.console.writing import Markup, tag

KINDS = [("effective", "as effective"), ("recorded", "as recorded")]
"""What a time may be of: when it counts, which is what pages show beside events, or when it was recorded."""
MOST_DIGITS = 18
_SAID_IN_PAGES = re.compile(r"\s*(UTC)\s*$")


def points_form(account_id: str, first: str, last: str, times: str = "") -> Markup:
    """Asks for two points, between which the change is explained."""
    # A time that counts does not go with a position, nor was it what an address without a kind of time asked for.
    chosen_first = times or ("recorded" if first or last else "effective")
    fields = (
        written("From", "from", first, "the opening"),
        written("To", "to", last, "now"),
        chosen("Times", "times", KINDS, chosen_first),
    )
    hint = tag("span", "log positions, or times in UTC such as 2026-11-23 08:00:00", class_="note")
    return asked_by(f"/accounts/{quote(account_id, safe='')}/explain", *fields, button="Explain", reset=hint)


def point_asked(end: str, typed: str, times: str = "") -> dict[str, str]:
    """A point as the API is asked for it: digits are a log position, all else is a time of the kind that is chosen."""
    return {f"{end}_{name}": value for name, value in moment_asked(typed, times).items()}


def moment_asked(typed: str, times: str = "") -> dict[str, str]:
    """A moment as the API is asked for it: nothing where nothing is typed."""
    digits = typed.replace(",", "").replace(" ", "")
    if not digits:
        return {}
    if digits.isdigit():
        return {"position": digits}
    return {"effective_at" if times == "effective" else "recorded_at": in_utc(_SAID_IN_PAGES.sub("Z", typed))}


def number(typed: str, name: str) -> int | None:
    """A whole number as somebody types it, commas and blanks left out; None where nothing is typed."""
    digits = typed.replace(",", "").replace(" ", "")
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS):
        detail = (
            f"{name} is {typed[:60]!r}; state a whole number of at most {MOST_DIGITS} digits, or leave it out "
            "for the account as it is now"
        )
        raise Refused(400, {"title": "The address is malformed", "detail": detail, "code": "malformed"})
    return int(digits)
