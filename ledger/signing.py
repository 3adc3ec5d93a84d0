"""Checkpoints of the log as signed notes (C2SP tlog-checkpoint, signed-note), and the Ed25519 key that signs them."""

import base64
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ledger.key_file import is_open_to_others, made_once
from ledger.merkle import HASH_BYTES

KEY_NAME = "margin-ledger"
# The kind of signature in a signed note's key id and public key: 1 is Ed25519.
ED25519 = b"\x01"


class SigningRefused(RuntimeError):
    """The signing key cannot be used; the message says why and what to do."""


class Checkpoint(NamedTuple):
    """The log's first `size` events, as their root has them, at the time `at`; `origin` names the log."""

    origin: str
    size: int
    root: bytes
    at: datetime

    @property
    def text(self) -> str:
        """What is signed: origin, size, root in base64, and the time, a line each."""
        moment = self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return f"{self.origin}\n{self.size}\n{base64_of(self.root)}\ntime {moment}\n"


class SigningKey:
    """An Ed25519 key with the name that its signatures bear."""

    def __init__(self, private: Ed25519PrivateKey, name: str = KEY_NAME) -> None:
        self._private = private
        self._name = name
        self._kind_and_key = ED25519 + private.public_key().public_bytes_raw()
        self._id = _id_of(name, self._kind_and_key)

    @property
    def key_id(self) -> str:
        """Eight hexadecimal digits that tell this key from others, as a signed note has them in base64."""
        return self._id.hex()

    @property
    def public_key(self) -> str:
        """The public key in one line, `NAME+ID+KEY`, as verifiers of signed notes take it."""
        return f"{self._name}+{self.key_id}+{base64_of(self._kind_and_key)}"

    def sign(self, checkpoint: Checkpoint) -> str:
        """The checkpoint as a note."""
        return self.sign_text(checkpoint.text)

    def sign_text(self, text: str) -> str:
        """A text of whole lines as a note: the text, an empty line, and the signature's line."""
        return f"{text}\n\u2014 {self._name} {base64_of(self._id + self._private.sign(text.encode()))}\n"


def signing_key(file: Path) -> SigningKey:
    """The key in a PEM file (PKCS 8), made there with mode 0600 if nothing is there yet.

    Refuses with SigningRefused: a file that others may read, or one that holds no Ed25519 key.
    """
    text = kept_secret(file, "signing key", _new_key)
    try:
        key = load_pem_private_key(text, password=None)
    except (ValueError, TypeError) as error:
        raise SigningRefused(f"the file {file} holds no signing key: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningRefused(f"the key in {file} is no Ed25519 key; name another file, and one is made there")
    return SigningKey(key)


def kept_secret(file: Path, name: str, make: Callable[[], bytes] | None = None) -> bytes:
    """What a file holds that nobody else may read; where nothing is there yet, `make` makes it with mode 0600.

    Refuses with SigningRefused, which calls it by its name: a file that others may read, or that cannot be read.
    """
    try:
        content = file.read_bytes() if make is None or file.exists() else made_once(file, make)
        is_open = is_open_to_others(file)
    except OSError as error:
        raise SigningRefused(f"the {name} {file} cannot be read{' or made' if make else ''}: {error}") from error
    if is_open:
        raise SigningRefused(f"the {name} {file} can be read by others: chmod 600, and replace it if it was read")
    return content


def _new_key() -> bytes:
    """A new key's PEM text."""
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class PublicKey(NamedTuple):
    """Who verifies: the id of a key as notes have it, and the key."""

    key_id: str
    key: Ed25519PublicKey

    def has_signed(self, note: str) -> bool:
        """Whether a signed note bears a good signature of this key."""
        text, _, lines = note.rpartition("\n\n")
        for line in lines.splitlines():
            content = _bytes_of(line.rpartition(" ")[2])
            if content[:4].hex() == self.key_id:
                try:
                    self.key.verify(content[4:], f"{text}\n".encode())
                except InvalidSignature:
                    continue
                return True
        return False


def read_public_key(line: str) -> PublicKey:
    """A public key from `NAME+ID+KEY`, as `SigningKey.public_key` has it; ValueError where it is none."""
    name, key_id, content = [*line.strip().split("+", 2), "", ""][:3]
    kind_and_key = _bytes_of(content)
    if kind_and_key[:1] != ED25519 or _id_of(name, kind_and_key).hex() != key_id:
        raise ValueError(f"{line!r} is no Ed25519 key of the form NAME+ID+KEY, as `ledger seal-key` prints it")
    return PublicKey(key_id, Ed25519PublicKey.from_public_bytes(kind_and_key[1:]))


def read_checkpoint(note: str) -> Checkpoint:
    """What a signed note states, whoever signed it; ValueError where it is not written as checkpoints are."""
    text = note.rpartition("\n\n")[0] + "\n"
    try:
        origin, size, root, time, _ = text.split("\n")
        at = datetime.fromisoformat(time.removeprefix("time "))
        checkpoint = Checkpoint(origin, int(size), base64.b64decode(root), at)
        is_one = checkpoint.text == text and checkpoint.size > 0 and len(checkpoint.root) == HASH_BYTES
    except (ValueError, OverflowError):
        is_one = False
    if not is_one:
        raise ValueError("it is no checkpoint: origin, size, root and time, a line each, then a signature")
    return checkpoint


def _id_of(name: str, kind_and_key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + kind_and_key).digest()[:4]


def _bytes_of(text: str) -> bytes:
    """What a text in base64 stands for; nothing where it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def base64_of(content: bytes) -> str:
    """Bytes in base64, as text."""
    return base64.b64encode(content).decode()
