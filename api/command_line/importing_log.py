"""`ledger import-log`: a ledger restored from an archive of `ledger export parquet`, byte for byte the same log."""

from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from api.command_line.database import migrated_url
from api.command_line.screen import Exit, say, show_progress, shown_in, stop
from api.export.checkpoints import Kept, of_file
from api.export.manifest import require_schema, required_manifest
from ledger.postgres import connect
from ledger.signing import read_public_key


def import_log(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of an archive.")],
    root: Annotated[
        str | None, typer.Option(help="The root that the archive must have, as `ledger export parquet` said it.")
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(
            help="A checkpoint kept elsewhere, which the archive must begin with; may be given several times."
        ),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            help="Who must have signed it: NAME+ID+KEY as `ledger seal-key` prints it, or a file of such lines."
        ),
    ] = None,
) -> None:
    """Restore the log of an archive into an empty database: every event, key and checkpoint, all or none.

    Positions, times and bytes are those that were exported; the root is checked before and after, and the log is
    sealed. Projections build themselves when they are run next. Ends with 1 if the archive or the database is refused,
    and nothing is changed then.
    """
    from api.export.restoring import require_empty, restore, verified_archive  # pyarrow is loaded for who needs it.

    elsewhere = _signed(checkpoint or [], key or [])
    require_schema(required_manifest(folder))
    with connect(migrated_url(), application_name="ledger import-log") as connection:
        require_empty(connection)
        connection.rollback()
        started = monotonic()
        with show_progress() as progress:
            show = shown_in(progress, "checking")
            archive = verified_archive(folder, root, show)
            restore(connection, archive, elsewhere, show)
    manifest, seconds = archive.manifest, monotonic() - started
    say(f"restored {manifest.end:,} events in {seconds:.1f} s ({manifest.end / max(seconds, 0.001):,.0f} events/s)")
    say(f"root {manifest.root} at position {manifest.end:,}")
    say(f"checkpoints {len(archive.checkpoints):,}{_reach(archive.checkpoints)}")


def _signed(files: list[Path], keys: list[str]) -> list[Kept]:
    """Checkpoints that were kept elsewhere, each signed by one of the keys."""
    if bool(files) != bool(keys):
        stop("--checkpoint and --key go together: a checkpoint is as good as the key that signed it", Exit.USAGE)
    try:
        public_keys = [read_public_key(line) for key in keys for line in _lines(key)]
    except (OSError, ValueError) as error:
        stop(f"--key cannot be understood: {error}", Exit.USAGE)
    return [of_file(file, public_keys) for file in files]


def _lines(key: str) -> list[str]:
    """A public key as it is written, or the lines of a file of them."""
    if "+" not in key and not Path(key).is_file():
        stop(
            f"--key {key}: there is no file {key}, and a key is NAME+ID+KEY as `ledger seal-key` prints it", Exit.USAGE
        )
    return (Path(key).read_text() if Path(key).is_file() else key).split()


def _reach(checkpoints: Sequence[Kept]) -> str:
    return f", the last of {checkpoints[-1].stated.size:,} events" if checkpoints else ""
