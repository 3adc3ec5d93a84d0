"""A command as it is asked for, with all that is looked up before it is decided."""

from collections.abc import Sequence
from typing import NamedTuple, cast

from ledger import account
from ledger.account import AccountCommand
from ledger.commands import AccrueInterest, Command
from ledger.idempotency import Key
from ledger.private_texts import texts_of
from ledger.words import EXCHANGE, PRICES

# What is made for every command is made of a tuple in half the time that its class takes.
_new = tuple.__new__


class Asked(NamedTuple):
    """A command with the ids of the accounts it touches and every key it claims, its idempotency key first.

    `texts` are those that are sealed before they are stored; the exchange's own are about no account.
    """

    command: Command
    account_ids: tuple[str, ...]
    keys: Sequence[Key]
    own_key: str | None
    is_of_exchange: bool
    texts: dict[str, str]

    @classmethod
    def of(cls, command: Command) -> "Asked":
        """What a command asks for, looked up once."""
        stream, key = command.stream, command.key
        if stream not in (EXCHANGE, PRICES):
            asked = cast(AccountCommand, command)
            return _new(cls, (command, asked.streams, account.keys_of(asked), key, False, texts_of(command)))
        keys = [] if key is None else [(stream, key)]
        # Interest without an account is a job, refused by the rules of accounts, and touches none.
        return cls(command, (), keys, key, not isinstance(command, AccrueInterest), {})
