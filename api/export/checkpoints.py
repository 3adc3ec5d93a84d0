"""The signed checkpoints that go along with an archive: a file each, as `ledger checkpoint --to` writes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from api.export.refusing import ArchiveRefused
from ledger.log import Connection
from ledger.signing import Checkpoint, PublicKey, base64_of, read_checkpoint, read_public_key

CHECKPOINTS = "checkpoints"
"""The folder beside the segments."""
_BEYOND = "select size, note from checkpoints where size > %s order by size"
_PUT = "insert into checkpoints (size, root, checkpointed_at, note) values (%s, %s, %s, %s)"
_PUT_KEY = "insert into checkpoint_keys (key_id, public_key) values (%s, %s) on conflict do nothing"


class Kept(NamedTuple):
    """A checkpoint as somebody keeps it: where, the note that was signed, and what it states."""

    place: str
    note: str
    stated: Checkpoint


def of_database(connection: Connection, after: int) -> list[Kept]:
    """A database's checkpoints beyond a size, in order of size."""
    rows = connection.execute(_BEYOND, [after])
    return [_read(f"the database's checkpoint of {size} events", note, size) for size, note in rows]


def of_archive(folder: Path) -> list[Kept]:
    """An archive's checkpoints in order of size; refuses one that does not state the size it is named by."""
    files = sorted((folder / CHECKPOINTS).glob("*.checkpoint"))
    return [_read(str(file), _text_of(file), int(file.stem) if file.stem.isdecimal() else -1) for file in files]


def of_file(file: Path, keys: Sequence[PublicKey]) -> Kept:
    """A checkpoint that was kept elsewhere; refuses one that none of these keys has signed."""
    kept = _read(str(file), _text_of(file))
    require_signed([kept], keys, "none of the keys that were given")
    return kept


def public_keys_of(lines: Sequence[str], place: str) -> list[PublicKey]:
    """The public keys that are written there, a line each."""
    try:
        return [read_public_key(line) for line in lines]
    except ValueError as error:
        raise ArchiveRefused(f"{place}: {error}") from None


def require_signed(kept: Sequence[Kept], keys: Sequence[PublicKey], none_of_them: str) -> None:
    """Refuses the first checkpoint that no key has signed as it stands."""
    for one in kept:
        if not any(key.has_signed(one.note) for key in keys):
            raise ArchiveRefused(f"{one.place} was changed, or is another's: {none_of_them} has signed it as it stands")


def require_reached(kept: Sequence[Kept], end: int, what: str) -> None:
    """Refuses the first checkpoint that states more events than there are."""
    for one in kept:
        if one.stated.size > end:
            raise ArchiveRefused(
                f"{one.place} was signed when the log had {one.stated.size} events, {what} ends at event {end}: "
                "its end is missing; take a whole copy"
            )


def require_root(kept: Kept, found: bytes) -> None:
    """Refuses a checkpoint that states another root than the events give."""
    if kept.stated.root != found:
        raise ArchiveRefused(
            f"{kept.place} states the root {base64_of(kept.stated.root)}, the first {kept.stated.size} events give "
            f"{base64_of(found)}: they are not those that were sealed; `ledger-verify` names the place"
        )


def put_checkpoints(connection: Connection, kept: Sequence[Kept], keys: Sequence[str]) -> None:
    """Stores checkpoints and the public keys of those who signed them, for the sealer to go on from."""
    with connection.cursor() as cursor:
        cursor.executemany(_PUT_KEY, [(read_public_key(key).key_id, key) for key in keys])
        cursor.executemany(_PUT, [(one.stated.size, one.stated.root, one.stated.at, one.note) for one in kept])


def _text_of(file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ArchiveRefused(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _read(place: str, note: str, size: int | None = None) -> Kept:
    try:
        kept = Kept(place, note, read_checkpoint(note))
    except ValueError as error:
        raise ArchiveRefused(f"{place} was changed: {error}") from None
    if size not in (None, kept.stated.size):
        raise ArchiveRefused(f"{place} states {kept.stated.size} events: it was changed, or named otherwise")
    return kept
