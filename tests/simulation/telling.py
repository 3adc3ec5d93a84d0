"""What people write to the commands of a simulation: reasons and references."""

from collections.abc import Iterable, Iterator
from typing import Any

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


def erasures(names: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The end of a life: texts of every account are erased, of one that is not there too, and of some once more."""
    for number, name in enumerate([*names, "nobody"]):
        for _ in range(1 + number % 2):
            yield {"type": "erase_texts", "account_id": name, "reason_code": "retention_ended"}
