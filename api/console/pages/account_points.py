"""Two points of an account's history as they are typed: log positions or times."""

from urllib.parse import quote

from api.console.forms import asked_by, in_utc, written
from api.console.writing import Markup, tag


def points_form(account_id: str, first: str, last: str) -> Markup:
    """Asks for two points, between which the change is explained."""
    fields = (written("From", "from", first, "the opening"), written("To", "to", last, "now"))
    hint = tag("span", "log positions, or times in UTC such as 2026-11-23 08:00", class_="note")
    return asked_by(f"/accounts/{quote(account_id, safe='')}/explain", *fields, button="Explain", reset=hint)


def point_asked(end: str, typed: str) -> dict[str, str]:
    """A point as the API is asked for it: digits are a log position, all else is a time of recording."""
    digits = typed.replace(",", "").replace(" ", "")
    if not digits:
        return {}
    return {f"{end}_position": digits} if digits.isdigit() else {f"{end}_recorded_at": in_utc(typed)}
