"""`ledger migrate`: brings the database to this ledger's schema."""

from api.command_line.database import chosen_url
from api.command_line.screen import say
from ledger import postgres


def migrate() -> None:
    """Apply the migrations that the database lacks; several at once wait for each other."""
    applied = postgres.migrate(chosen_url())
    numbers = ", ".join(f"{number:04}" for number in applied)
    say(f"applied {numbers}" if applied else "nothing to do: the database has this ledger's schema")
