"""The wallets that a what-if goes through, and the bound on how many of them it may."""

from collections.abc import Iterable, Iterator

from ledger.errors import TooMuchAsked
from projections.margin_levels.queries import OwingWallet, count_wallets_that_owe, wallets_that_owe
from projections.questions.levels import dated_wallets_that_owe
from projections.snapshot import Snapshot


def wallets_up_to(snapshot: Snapshot, most_valuations: int | None, prices: int) -> Iterator[OwingWallet]:
    """The wallets that owe, to be valued at so many sets of prices each; TooMuchAsked where that makes too many.

    They are counted first. As of a business time that would be to go through them twice, so there the refusal comes
    with the first wallet that is too many.
    """
    connection, position, effective_at = snapshot.connection, snapshot.position, snapshot.effective_at
    if effective_at is None:
        if most_valuations is not None:
            count = count_wallets_that_owe(connection, position)
            if count * prices > most_valuations:
                raise _too_much(f"{count} wallets owe", count * prices, prices, most_valuations)
        return wallets_that_owe(connection, position)
    wallets = dated_wallets_that_owe(connection, position, effective_at)
    return wallets if most_valuations is None else _up_to(wallets, most_valuations, prices)


def _up_to(wallets: Iterable[OwingWallet], most_valuations: int, prices: int) -> Iterator[OwingWallet]:
    for count, one in enumerate(wallets, start=1):
        if count * prices > most_valuations:
            raise _too_much(f"at least {count} wallets owed then", count * prices, prices, most_valuations)
        yield one


def _too_much(wallets: str, valuations: int, prices: int, most: int) -> TooMuchAsked:
    return TooMuchAsked(
        f"{wallets}, and {prices} sets of prices were asked for (those marked, the shocked ones and each step of a "
        f"sweep), which makes {valuations} valuations; at most {most} are made here. Ask for fewer steps, or ask "
        "`ledger stress` on the command line, which has no such limit"
    )
