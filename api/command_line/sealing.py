"""`ledger seal`, `ledger checkpoint` and `ledger seal-key`: the seal of the log from the command line."""

from pathlib import Path
from typing import Annotated

import typer

from api.answers import moment
from api.command_line.database import migrated_url, readable_url
from api.command_line.screen import Exit, note, say, stop
from ledger.postgres import SERVICE, connect
from ledger.sealer import Sealer, SealSettings, open_sealing, seal_to_end, write_checkpoints
from ledger.sealing import sealed_size
from ledger.signing import signing_key

_LONG_UNSIGNED = """
select notification_id, recorded_at from events
where notification_id = (select coalesce(max(size), 0) + 1 from checkpoints)
  and recorded_at < clock_timestamp() - make_interval(secs => %s)
"""

Within = Annotated[
    float | None,
    typer.Option("--within", min=0, help="End with 1 where an event that is older, in seconds, is in no checkpoint."),
]
Follow = Annotated[bool, typer.Option("--follow", help="Go on sealing what is recorded, until Ctrl-C or SIGTERM.")]
Folder = Annotated[Path | None, typer.Option("--to", help="Write every checkpoint to this folder, a file each.")]


def seal(follow: Follow = False) -> None:
    """Seal all that is recorded and sign a checkpoint of it, which is printed; `serve` does so by itself."""
    if follow:
        # All that runs on and on is loaded by those who ask for it.
        from api.command_line.serving import keep_sealed

        keep_sealed()
        return
    with open_sealing(migrated_url()) as connection:
        sealed = seal_to_end(connection)
        checkpoint = Sealer(connection, SealSettings()).sign()
        note(f"sealed {sealed:,} events, {sealed_size(connection):,} altogether")
    if checkpoint is None:
        note("nothing new to sign; `ledger checkpoint` prints the latest checkpoint")
    else:
        say(checkpoint.text.strip())


def checkpoint(to: Folder = None, within: Within = None) -> None:
    """Print the latest checkpoint as it was signed, or write all that are not there yet to files, never over others.

    Keep them where whoever can change the database cannot: `ledger-verify --checkpoints` holds the log against them.
    """
    with connect(readable_url(), application_name="ledger checkpoint", role=SERVICE) as connection:
        if within is not None and (row := connection.execute(_LONG_UNSIGNED, [within]).fetchone()):
            stop(f"position {row[0]} was recorded at {moment(row[1])} and is in no checkpoint: does the sealer run?")
        if to is not None:
            try:
                say(f"wrote {write_checkpoints(connection, to):,} checkpoints to {to}")
            except OSError as error:
                stop(f"--to {to} cannot be written: {error.strerror}", Exit.USAGE)
            return
        row = connection.execute("select note from checkpoints order by size desc limit 1").fetchone()
    say(row[0].rstrip("\n") if row else "there is no checkpoint yet: `ledger seal` makes one")


def seal_key() -> None:
    """Print the public key that checkpoints are signed with, alone on stdout; makes the key if there is none."""
    file = SealSettings().key_file
    note(f"the signing key is in {file}; give the public key to whoever verifies:")
    say(signing_key(file).public_key)
