"""`ledger erase` and `ledger privacy`: texts of an account made unreadable for ever, and the key behind all keys."""

import uuid
from typing import Annotated

import typer

from api.command_line.database import migrated_url, readable_url
from api.command_line.looking import local_actor
from api.command_line.screen import note, say
from ledger import Ledger, parse_command
from ledger.outcomes import Refused
from ledger.postgres import SERVICE, connect
from ledger.privacy_key import key_lines
from ledger.text_keys import key_file_of, rotate_privacy_key
from ledger.words import ErasureReason

privacy = typer.Typer(no_args_is_help=True, help="The privacy key, which keeps reasons and references of accounts.")

LEFT = "backups made before still hold the keys: `ledger privacy rotate`, then destroy copies of the old privacy key"


def erase(
    account: Annotated[str, typer.Argument(help="The account whose reasons and references are erased.")],
    reason_code: Annotated[ErasureReason, typer.Option("--reason-code", help="Why, as the event states it.")],
) -> None:
    """Make reasons and references recorded on an account so far unreadable for ever; nothing else changes.

    The event that says so, by whom (`local:USER`), and the end of the key are one transaction. Ends with 1 where the
    account is unknown.
    """
    key = f"erase:{uuid.uuid4()}"
    asked = {"type": "erase_texts", "account_id": account, "reason_code": reason_code, "idempotency_key": key}
    command = parse_command(asked)
    url = migrated_url()
    with Ledger(url) as ledger:
        (outcome,) = ledger.submit([command], actor=local_actor())
    if isinstance(outcome, Refused):
        raise outcome.refusal
    say(f"texts of account {account} recorded before position {outcome.position} are erased; {LEFT}")


@privacy.command()
def rotate() -> None:
    """Wrap the keys of all accounts under a new privacy key, and have the file hold that one in the old one's place.

    What was erased before can then be read from no backup, once no copy of the old file is left. Other databases' keys
    stay in the file. Refused while another rotation is under way.
    """
    with connect(readable_url(), application_name="ledger privacy", role=SERVICE) as connection:
        keys = rotate_privacy_key(connection)
        file = key_file_of(connection)
    if nameless := [line.key.id for line in key_lines(file) if line.database is None]:
        note(f"{file} still has {', '.join(nameless)}, of no named database: remove a line that no database uses")
    note(f"the privacy key is in {file}; other machines of this ledger need this one now")
    say(f"{keys:,} keys of accounts are kept under a new privacy key; the one before opens none")
