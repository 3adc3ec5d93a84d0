"""The storm of the risk benchmark gives no figures unless everybody was liquidated once and in order."""

import pytest

from benchmarks.storming.course import StormFailed, require_order
from benchmarks.storming.population import borrower, commands_of_storm
from ledger import Ledger, parse_command
from ledger.postgres import connect


@pytest.mark.parametrize(
    ("examined", "complaint"), [([1, 0], "before his turn"), ([1], "not everybody"), ([0, 1], None)]
)
def test_figures_of_a_storm_out_of_order_are_refused(database: str, examined: list[int], complaint: str | None) -> None:
    """Of the first two pools the second has put up more and owes less, so the first comes first."""
    with Ledger(database) as ledger, connect(database, autocommit=True) as connection:
        ledger.submit([parse_command(one) for one in commands_of_storm(2)], actor="test")
        crash = {"type": "mark_prices", "prices": {"BTC/USDT": "32000"}, "source": "test"}
        wallets = [{"type": "examine", "account_id": borrower(number), "wallet": "cross"} for number in examined]
        ledger.submit([parse_command(one) for one in (crash, *wallets)], actor="test")
        if complaint is None:
            require_order(connection, 2)
        else:
            with pytest.raises(StormFailed, match=complaint):
                require_order(connection, 2)
