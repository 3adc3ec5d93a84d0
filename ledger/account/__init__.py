"""The account: what each command decides, and how its events change it; a file for each family of rules."""

from ledger.account.decide import (
    AccountCommand,
    Decision,
    admit,
    already_booked,
    decide,
    decide_reversal,
    keys_of,
    streams_of,
)
from ledger.account.draft import leverage_of
from ledger.account.evolve import evolve, fold
from ledger.account.lending import borrow_limit_left
from ledger.account.reversals import Original, original_of, unknown_event
from ledger.account.settings import is_position_open
from ledger.account.state import Account

__all__ = [
    "Account",
    "AccountCommand",
    "Decision",
    "Original",
    "admit",
    "already_booked",
    "borrow_limit_left",
    "decide",
    "decide_reversal",
    "evolve",
    "fold",
    "is_position_open",
    "keys_of",
    "leverage_of",
    "original_of",
    "streams_of",
    "unknown_event",
]
