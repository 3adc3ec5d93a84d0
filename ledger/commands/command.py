"""What every command states."""

from typing import ClassVar, Self

from pydantic import model_validator

from ledger.commands.fields import Key, Part, PrivateText, Time, Version
from ledger.words import Identifier


class Command(Part):
    """What every command states; `account_id` is the stream it is decided on."""

    # The field that names the command's own thing, of which TYPE:ID serves as idempotency key.
    OWN_ID: ClassVar[str | None] = None
    KEY_MAY_BE_LEFT_OUT: ClassVar[bool] = False

    type: str
    idempotency_key: Key | None = None
    effective_at: Time | None = None
    reason: PrivateText | None = None
    expected_version: Version | None = None

    @model_validator(mode="after")
    def _has_a_key(self) -> Self:
        if self.key is None and not self.KEY_MAY_BE_LEFT_OUT:
            raise ValueError("idempotency_key is needed, so that a repeated request is recorded once")
        return self

    @property
    def key(self) -> str | None:
        """The idempotency key: the one given, else TYPE:ID where the command names its own thing."""
        given = self.idempotency_key
        if given is not None:
            return given
        own_id = getattr(self, self.OWN_ID) if self.OWN_ID else None
        return f"{self.type}:{own_id}" if own_id is not None else None

    @property
    def further_key(self) -> str | None:
        """A key that the command claims whatever its idempotency key, so that its own thing is booked once.

        It contains a space, which no idempotency key does.
        """
        return None

    @property
    def stream(self) -> str:
        """The id of the account (or of the exchange's own stream) that the command is decided on."""
        raise NotImplementedError

    @property
    def streams(self) -> tuple[str, ...]:
        """The ids of all accounts the command touches, the one it is decided on first."""
        return (self.stream,)

    @property
    def keyed_streams(self) -> tuple[str, ...]:
        """The ids of the accounts on which its keys are claimed."""
        return (self.stream,)


class AccountCommand(Command):
    account_id: Identifier

    @property
    def stream(self) -> str:
        return self.account_id

    @property
    def streams(self) -> tuple[str, ...]:
        return (self.account_id,)

    @property
    def keyed_streams(self) -> tuple[str, ...]:
        return (self.account_id,)
