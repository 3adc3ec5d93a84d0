"""Why customers' data is read, as the reader says: a short text, kept as it was stated."""

import re

from ledger.errors import Malformed

LONGEST_PURPOSE = 200
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def purpose_in(stated: str | None) -> str | None:
    """The purpose that a text is, without blanks around it; a blank one is none. Malformed: too long, unprintable."""
    purpose = (stated or "").strip()
    if len(purpose) > LONGEST_PURPOSE or _UNPRINTABLE.search(purpose):
        raise Malformed(
            f"the purpose has {len(purpose)} characters; it has at most {LONGEST_PURPOSE}, and no control characters"
        )
    return purpose or None
