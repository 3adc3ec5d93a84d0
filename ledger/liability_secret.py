"""The secret that salts the ids of accounts in publications of liabilities, and what is derived from it."""

import hmac
import secrets
from pathlib import Path
from typing import NamedTuple

from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger import postgres
from ledger.errors import Unavailable
from ledger.signing import kept_secret

SECRET_BYTES = 32


class LiabilitySecretMissing(Unavailable):
    code, title = "liability_secret_missing", "The secret that the publication was salted with is not here"


class LiabilitySettings(BaseSettings):
    """`LEDGER_LIABILITY_SECRET` names the file of the master secret, by default `liability-secret` in the home."""

    model_config = SettingsConfigDict(env_prefix="LEDGER_", env_ignore_empty=True, extra="ignore")

    liability_secret: Path | None = None

    @property
    def file(self) -> Path:
        """Where the master secret is, or will be made."""
        return self.liability_secret or (postgres.Settings().home or postgres.default_home()) / "liability-secret"


class PublicationSecret(NamedTuple):
    """The secret of one publication, so that ids of two publications cannot be linked."""

    content: bytes

    @property
    def id(self) -> str:
        """Eight hexadecimal digits that tell this secret from others, and nothing else of it."""
        return hmac.digest(self.content, b"id", "sha256")[:4].hex()

    def of_tree(self, kind: str, asset: str) -> bytes:
        """The secret of one tree, so that an account's ids in two assets cannot be linked."""
        return hmac.digest(self.content, f"tree {kind} {asset}".encode(), "sha256")


def secret_of(master: bytes, checkpoint: str) -> PublicationSecret:
    """The secret of the publication at a checkpoint, which is given by its text."""
    return PublicationSecret(hmac.digest(master, f"publication {checkpoint}".encode(), "sha256"))


def master_secret(file: Path, *, is_made: bool = False) -> bytes:
    """The master secret in a file, made there with mode 0600 if it may be; SigningRefused where it cannot be used."""
    return kept_secret(file, "secret of liabilities", _new_secret if is_made else None)


def _new_secret() -> bytes:
    return f"{secrets.token_hex(SECRET_BYTES)}\n".encode()
