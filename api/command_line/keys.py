"""API keys from the command line: made (shown once), listed, revoked."""

from typing import Annotated

import typer

from api.command_line.database import migrated_url
from api.command_line.looking import logged_url
from api.command_line.screen import note, out, say, table_of
from api.keys import create_key, list_keys, revoke_key
from api.roles import Role
from ledger.log import log_end, version_at
from ledger.postgres import SERVICE, connect

keys = typer.Typer(no_args_is_help=True, help="API keys: create, list, revoke.")


@keys.command()
def create(
    role: Annotated[Role, typer.Option(help="What the key may do.")],
    name: Annotated[str, typer.Option(help="A name of its own, which events will state as actor.")],
    account: Annotated[str | None, typer.Option(help="The account that a customer's key is bound to.")] = None,
) -> None:
    """Make a key and print it, alone on stdout: the only time that it can be seen."""
    with connect(migrated_url(), role=SERVICE, autocommit=True) as connection:
        key = create_key(connection, name, role, account)
        if account is not None and not version_at(connection, account, log_end(connection).position):
            note(f"account {account} is not opened yet: the key is of use once it is; check its spelling")
    bound = f" for account {account}" if account else ""
    note(f"key {name} of role {role}{bound}, shown only now; send it as `Authorization: Bearer KEY`:")
    say(key)


@keys.command("list")
def list_() -> None:
    """List all keys, also revoked ones; never the keys themselves."""
    with connect(logged_url("keys list"), role=SERVICE) as connection:
        found = list_keys(connection)
    rows = [
        (one.name, one.role, one.account_id, f"{one.created_at:%Y-%m-%d %H:%M:%S}", one.revoked_at and "revoked")
        for one in found
    ]
    out().print(table_of(None, ["name", "role", "account", "created (UTC)", ""], rows))


@keys.command()
def revoke(name: Annotated[str, typer.Argument(help="The name of the key.")]) -> None:
    """Make a key useless for ever."""
    with connect(migrated_url(), role=SERVICE, autocommit=True) as connection:
        revoke_key(connection, name)
    say(f"key {name} is revoked, everywhere within about a second")
