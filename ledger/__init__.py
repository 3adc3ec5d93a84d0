"""The write side of the ledger: what may be asked, what has happened, and the rules between the two."""

from ledger.application import Ledger
from ledger.collecting import collect_seldom
from ledger.commands import COMMANDS, Command, parse_command
from ledger.errors import Malformed, Refusal, TooManyRequests, Unavailable
from ledger.liabilities import latest_liabilities, liabilities_of, list_liabilities
from ledger.liability_proofs import liability_proof
from ledger.log import RecordedEvent
from ledger.outcomes import EventReference, Outcome, Previewed, Recorded, Refused
from ledger.proofs import (
    checkpoint_of,
    consistency_proof,
    inclusion_proof,
    latest_checkpoint,
    list_checkpoints,
    public_keys,
)
from ledger.shown_texts import texts_shown
from ledger.writer import WriterSettings

__all__ = [
    "COMMANDS",
    "Command",
    "EventReference",
    "Ledger",
    "Malformed",
    "Outcome",
    "Previewed",
    "Recorded",
    "RecordedEvent",
    "Refusal",
    "Refused",
    "TooManyRequests",
    "Unavailable",
    "WriterSettings",
    "checkpoint_of",
    "collect_seldom",
    "consistency_proof",
    "inclusion_proof",
    "latest_checkpoint",
    "latest_liabilities",
    "liabilities_of",
    "liability_proof",
    "list_checkpoints",
    "list_liabilities",
    "parse_command",
    "public_keys",
    "texts_shown",
]
