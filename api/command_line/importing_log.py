"""`ledger import-log`: a ledger restored from an archive of `ledger export parquet`, byte for byte the same log."""

from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from api.command_line.database import migrated_url
from api.command_line.screen import say, show_progress, shown_in
from api.export.manifest import require_schema, required_manifest
from ledger.postgres import connect


def import_log(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of an archive.")],
    root: Annotated[
        str | None, typer.Option(help="The root that the archive must have, as `ledger export parquet` said it.")
    ] = None,
) -> None:
    """Restore the log of an archive into an empty database: every event and key, all or none.

    Positions, times and bytes are those that were exported; the root hash is checked before and after. Projections
    build themselves when they are run next. Ends with 1 if the archive or the database is refused, and nothing is
    changed then.
    """
    from api.export.restoring import require_empty, restore, verified_archive  # pyarrow is loaded for who needs it.

    require_schema(required_manifest(folder))
    with connect(migrated_url(), application_name="ledger import-log") as connection:
        require_empty(connection)
        connection.rollback()
        started = monotonic()
        with show_progress() as progress:
            show = shown_in(progress, "checking")
            manifest = verified_archive(folder, root, show)
            restore(connection, folder, manifest, show)
    seconds = monotonic() - started
    say(f"restored {manifest.end:,} events in {seconds:.1f} s ({manifest.end / max(seconds, 0.001):,.0f} events/s)")
    say(f"root {manifest.root} at position {manifest.end:,}")
