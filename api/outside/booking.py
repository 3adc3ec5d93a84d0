"""Lines of an outside statement as commands, each named by what the line says and not by the file it stands in."""

import hashlib
import json
from enum import StrEnum
from typing import Any, NamedTuple

from api.answers import moment
from api.outside.statement import OutsideLine
from ledger.commands import Command, parse_command
from ledger.commands.fields import LONGEST_SOURCE_LINE
from ledger.errors import Malformed
from ledger.money import ZERO, plain
from ledger.words import SPOT, AdjustmentReason

DIGEST_CHARACTERS = 32


class Identity(StrEnum):
    """What tells a line from any other: its reference, or with it all that it says."""

    REFERENCE = "reference"
    LINE = "line"


class Adjusting(NamedTuple):
    """That lines are booked as adjustments, and why."""

    reason_code: AdjustmentReason
    reason: str | None


class Bookkeeper:
    """Makes the commands of one file's lines, which come in order: of lines that are alike, each gets its number.

    A line is named by account, asset, direction and reference; one without a reference by its time and amount instead.
    So the same line of another file has the same name, and whatever is changed in it is refused instead of booked
    twice.
    """

    def __init__(self, file_name: str, identity: Identity, adjusting: Adjusting | None) -> None:
        self._file_name = file_name
        self._identity = identity
        self._adjusting = adjusting
        # By the first eight bytes of what they have alike: a million lines would not fit otherwise.
        self._seen: dict[int, int] = {}

    def commands(self, line: OutsideLine) -> list[Command]:
        """What books a line; Malformed where the ledger cannot keep it."""
        source_line = f"{self._file_name}:{line.number}: {line.text}"
        if len(source_line) > LONGEST_SOURCE_LINE:
            raise Malformed(
                f"the line with its file's name has {len(source_line):,} characters, {LONGEST_SOURCE_LINE:,} can be "
                "kept; leave out columns that nobody needs"
            )
        shared = {
            "account_id": line.account_id,
            "effective_at": moment(line.time),
            "source_line": source_line,
        }
        return [parse_command({**shared, **one}) for one in self._contents(line)]

    def _contents(self, line: OutsideLine) -> list[dict[str, Any]]:
        moved = {"asset": line.asset, "amount": plain(abs(line.amount))}
        if self._adjusting is not None:
            code, reason = self._adjusting
            terms = {"wallet": SPOT, "asset": line.asset, "amount": plain(line.amount), "reason_code": code.value}
            told = {"reference": line.reference, "reason": reason}
            named = {"adjustment_id": self._name(line, "adjustment")}
            return [{"type": "propose_adjustment", **named, **terms, **told}]
        if line.amount > ZERO:
            named = {"deposit_id": self._name(line, "deposit")}
            return [{"type": "deposit", **named, **moved, "reference": line.reference}]
        named = {"withdrawal_id": self._name(line, "withdrawal")}
        return [
            {"type": "request_withdrawal", **named, **moved},
            {"type": "settle_withdrawal", **named, "reference": line.reference},
        ]

    def _name(self, line: OutsideLine, kind: str) -> str:
        """The id of what a line books, from which its idempotency key follows."""
        said = [moment(line.time), plain(line.amount)]
        if line.reference is not None:
            said = [line.reference] if self._identity is Identity.REFERENCE else [*said, line.reference]
        alike = json.dumps([kind, line.account_id, line.asset, line.amount > ZERO, *said])
        digest = hashlib.sha256(alike.encode())
        place = int.from_bytes(digest.digest()[:8])
        number = self._seen[place] = self._seen.get(place, 0) + 1
        name = f"statement-{digest.hexdigest()[:DIGEST_CHARACTERS]}"
        return name if number == 1 else f"{name}.{number}"
