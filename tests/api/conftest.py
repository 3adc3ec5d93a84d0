"""The house that the tests of one module share, and the command line on a story that nobody changes."""

from collections.abc import Iterator

import pytest

from tests.api.command_line import CommandLine
from tests.api.house import House, deposit, open_account, open_house, opened_market
from tests.api.two_traders import tell_of_two_traders
from tests.databases import fresh_database


@pytest.fixture(scope="module")
def house(module_database: str) -> Iterator[House]:
    """A running house with a market, and nothing else in it."""
    with open_house(module_database) as house:
        opened_market(house)
        yield house


@pytest.fixture(scope="module")
def told(house: House) -> House:
    """The house after a short story of one account, and of one that was liquidated."""
    house.send(open_account("alice"), deposit("alice", "10000", "d1"), deposit("alice", "5", "d2", "BTC"))
    keyed = {"account_id": "alice", "asset": "USDT"}
    house.send(
        {**keyed, "type": "transfer", "from": "spot", "to": "cross", "amount": "4000", "idempotency_key": "t1"},
        {**keyed, "type": "borrow", "wallet": "cross", "amount": "2000", "idempotency_key": "b1"},
        {**keyed, "type": "place_hold", "hold_id": "h1", "wallet": "spot", "amount": "100"},
        {**keyed, "type": "request_withdrawal", "withdrawal_id": "w1", "amount": "50"},
        {**keyed, "type": "request_withdrawal", "withdrawal_id": "w2", "amount": "60"},
        {"type": "cancel_withdrawal", "account_id": "alice", "withdrawal_id": "w2"},
        {"type": "freeze_account", "account_id": "alice", "blocks": ["withdraw"], "idempotency_key": "f1"},
    )
    house.send(open_account("lucy"), deposit("lucy", "100", "d1"))
    bucket = {"account_id": "lucy", "pair": "ETH/USDT"}
    house.send(
        {**bucket, "type": "set_margin_mode", "mode": "isolated", "idempotency_key": "m1"},
        {**bucket, "type": "add_margin", "asset": "USDT", "amount": "100", "idempotency_key": "a1"},
        {
            **bucket,
            "type": "book_fill",
            "trade_id": "short-1",
            "side": "sell",
            "quantity": "0.2",
            "price": "2000",
            "fee": "0",
            "fee_asset": "USDT",
            "auto_borrow": True,
        },
    )
    house.send({"type": "mark_prices", "prices": {"ETH/USDT": "2400"}, "source": "test"})
    house.send({"type": "examine", "account_id": "lucy", "wallet": "isolated:ETH/USDT"})
    return house


@pytest.fixture(scope="session")
def two_traders(server_url: str, template_database: str) -> Iterator[str]:
    """A database in which two traders' story was told: at its end bob's short stands at 1, alice's pool at 3.38."""
    with fresh_database(server_url, template_database) as url:
        tell_of_two_traders(url)
        yield url


@pytest.fixture
def command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The `ledger` command; on which database, `use` says."""
    return CommandLine(monkeypatch, capsys)


@pytest.fixture
def ledger(command_line: CommandLine, two_traders: str) -> CommandLine:
    """The command line on the story of the two traders, where a file has no other."""
    command_line.use(two_traders)
    return command_line
