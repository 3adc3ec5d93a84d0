"""A log that is sealed and has checkpoints, for tests of the seal and of who checks it."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.postgres import connect
from ledger.sealer import open_sealing, seal_to_end, sign_checkpoint, write_checkpoints
from ledger.signing import SigningKey
from tests.databases import unguard
from tests.projections.logs import random_log, record

SIZES = (300, 512, 700)
KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(b"k" * 32))
FORGED = SigningKey(Ed25519PrivateKey.from_private_bytes(b"f" * 32))


def seal_log_of(url: str, folder: Path | None = None) -> None:
    """Records 700 events and seals them bit by bit, with a checkpoint at each of SIZES."""
    before = 0
    for size in SIZES:
        record(url, random_log()[before:size])
        before = size
        seal_again(url, KEY, folder)


def seal_again(url: str, key: SigningKey, folder: Path | None = None) -> None:
    """Seals what is not sealed, and signs a checkpoint."""
    with open_sealing(url) as connection:
        seal_to_end(connection)
        sign_checkpoint(connection, key)
        if folder is not None:
            write_checkpoints(connection, folder)


def tamper(url: str, *statements: str) -> None:
    """Changes what nobody may change."""
    with connect(url) as connection:
        unguard(connection)
        for statement in statements:
            assert connection.execute(statement.encode()).rowcount != 0


CHANGE = "update events set state = set_byte(state, 5, get_byte(state, 5) # 1) where notification_id = 400"
UNSEAL = "delete from seal_leaves where first_position > 256"
UNSEAL_NODES = "delete from seal_nodes where number > 0"
UNSIGN = "delete from checkpoints where size > 400"
