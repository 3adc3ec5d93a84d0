"""What people write to the commands of a simulation: reasons and references."""

from collections.abc import Sequence
from typing import Any

STEPS_BETWEEN_ERASURES = 60

WITHOUT_REASON = {"erase_texts"}
WITH_REFERENCE = {"deposit", "settle_withdrawal"}


def with_texts(content: dict[str, Any], number: int) -> dict[str, Any]:
    """The command with texts that follow from its number, so that nothing else is drawn otherwise for them."""
    texts = {}
    if number % 3 == 0 and content["type"] not in WITHOUT_REASON:
        texts["reason"] = f"told by person {number % 7}"
    if content["type"] in WITH_REFERENCE and number % 2:
        texts["reference"] = f"slip {number} of person {number % 5}"
    return {**texts, **content}


def erasure_after(number: int, names: Sequence[str]) -> dict[str, Any] | None:
    """Now and then the command that erases texts of one of these accounts, or of one that is not there."""
    if number % STEPS_BETWEEN_ERASURES:
        return None
    turn = number // STEPS_BETWEEN_ERASURES
    name = "nobody" if turn % 5 == 4 else names[turn % len(names)]
    return {"type": "erase_texts", "account_id": name, "reason_code": "retention_ended"}
