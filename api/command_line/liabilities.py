"""`ledger liabilities`: what is owed to customers at a checkpoint, published, written to files, shown to auditors."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Annotated

import typer

from api.command_line.database import migrated_url
from api.command_line.screen import Exit, note, say, stop
from api.publishing import publish_liabilities, write_liabilities
from ledger.errors import ProjectionsBehind
from ledger.liabilities import LiabilitiesDiffer, liabilities_of
from ledger.liability_proofs import all_leaves
from ledger.money import plain
from ledger.postgres import SERVICE, Connection, connect


def liabilities(
    checkpoint: Annotated[
        int | None, typer.Option(min=1, metavar="SIZE", help="At the checkpoint of this size; the latest if left out.")
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="DIR", help="Write the publication to this folder, never over another."),
    ] = None,
    leaves: Annotated[
        Path | None, typer.Option("--leaves", metavar="FILE", help="Write all leaves to this new file, for an auditor.")
    ] = None,
) -> None:
    """Publish what is owed to customers at a checkpoint: for each asset the roots of two sum trees, and totals.

    A publication is signed and stored once; asked for again it is printed as it was. Publish it where all customers
    see the same: `ledger-verify-liability` checks it, and their proofs. Ends with 1 if accounts and books disagree.
    """
    url = migrated_url()
    try:
        size, is_new = publish_liabilities(url, checkpoint)
    except ProjectionsBehind as refusal:
        stop(refusal.detail)
    except LiabilitiesDiffer as error:
        stop(str(error))
    note(f"{'published' if is_new else 'was published before:'} what is owed at position {size:,}")
    with connect(url, application_name="ledger liabilities", role=SERVICE) as connection:
        try:
            if to is not None:
                note(f"{'wrote it' if write_liabilities(connection, to, size) else 'it is there already'}, to {to}")
            if leaves is not None:
                note(f"wrote {_write_leaves(connection, leaves, size):,} leaves to {leaves}")
        except OSError as error:
            stop(f"{error.filename} cannot be written: {error.strerror}", Exit.USAGE)
        say(liabilities_of(connection, size)["note"].rstrip("\n"))


def _write_leaves(connection: Connection, file: Path, size: int) -> int:
    """A JSON array a line: kind, asset, id in base64, amount; in the order of trees and ids."""
    written = 0
    with file.open("x", encoding="utf-8") as out:
        for kind, asset, leaf_id, amount in all_leaves(connection, size):
            out.write(json.dumps([kind, asset, b64encode(leaf_id).decode(), plain(amount)]) + "\n")
            written += 1
    return written
