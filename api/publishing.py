"""Liabilities published: accounts as of a checkpoint, held against the books, and signed with the checkpoints' key."""

from pathlib import Path

from api.answers import json_of
from ledger.errors import UnknownPublication
from ledger.liabilities import liabilities_of, lock_publishing, publish, require_whole_decisions, standing_checkpoint
from ledger.liability_secret import LiabilitySettings, master_secret
from ledger.postgres import SERVICE, Connection, connect
from ledger.sealer import SealSettings, open_sealing, write_once
from ledger.signing import signing_key
from projections.questions.liabilities import READS, gross_accounts, gross_totals
from projections.snapshot import open_snapshot


def publish_liabilities(url: str, size: int | None = None) -> tuple[int, bool]:
    """Publishes what is owed at the checkpoint of a size, the latest without one; the size, and whether it was new.

    One that is published already stays as it is. A run that ends early leaves nothing. Refuses with UnknownCheckpoint
    and ProjectionsBehind; raises LiabilitiesDiffer, SealBroken and SigningRefused.
    """
    key = signing_key(SealSettings().key_file)
    master = master_secret(LiabilitySettings().file, is_made=True)
    with (
        open_sealing(url) as connection,
        connect(url, application_name="ledger liabilities", role=SERVICE) as reading,
        connection.transaction(),
    ):
        lock_publishing(connection)
        checkpoint = standing_checkpoint(connection, size)
        if _is_published(connection, checkpoint.size):
            return checkpoint.size, False
        require_whole_decisions(connection, checkpoint.size)
        with open_snapshot(reading, position=checkpoint.size, names=READS) as snapshot:
            totals = gross_totals(snapshot.connection, snapshot.position)
            accounts = gross_accounts(snapshot.connection, snapshot.position)
            publish(connection, checkpoint, key, master, accounts, totals)
    return checkpoint.size, True


def write_liabilities(connection: Connection, folder: Path, size: int) -> bool:
    """Writes a publication to a folder, as `SIZE.liabilities`, never over another; whether it was not there."""
    folder.mkdir(parents=True, exist_ok=True)
    told = json_of(liabilities_of(connection, size), indent=1) + "\n"
    return write_once(folder / f"{size:016}.liabilities", told.encode(), "publication")


def _is_published(connection: Connection, size: int) -> bool:
    try:
        liabilities_of(connection, size)
    except UnknownPublication:
        return False
    return True
