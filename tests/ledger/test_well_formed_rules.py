"""Is the request well formed: amounts, names, times and fields, before anything else is looked at."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ledger.commands import COMMANDS, parse_command
from ledger.errors import Malformed
from ledger.money import plain

DEPOSIT: dict[str, Any] = {
    "type": "deposit",
    "account_id": "alice",
    "asset": "USDT",
    "amount": "1",
    "idempotency_key": "K1",
}


def with_amount(amount: Any) -> Any:
    return parse_command({**DEPOSIT, "amount": amount})


@pytest.mark.parametrize("amount", ["1", "0.1", "12.50", "0.000000000000000001", "9" * 38, "1." + "0" * 37])
def test_an_amount_in_plain_notation_is_exact(amount: str) -> None:
    assert f"{with_amount(amount).amount:f}" == amount


@pytest.mark.parametrize(
    "amount",
    [
        "0",
        "-1",
        "+1",
        "1e3",
        "1E3",
        "NaN",
        "Infinity",
        "-0",
        "",
        " 1",
        "1 ",
        "1_000",
        "1,5",
        ".5",
        "5.",
        "0x1",
        "٣",
        "1\n",
        "9" * 39,
        "1." + "0" * 38,
        1,
        1.5,
        True,
        None,
        [],
        {},
        ["1"],
    ],
)
def test_an_amount_of_any_other_kind_is_malformed(amount: Any) -> None:
    with pytest.raises(Malformed, match="amount"):
        with_amount(amount)


@pytest.mark.parametrize("name", ["a", "A-b_c.d:9", "x" * 64])
def test_an_id_is_the_callers_own(name: str) -> None:
    assert parse_command({**DEPOSIT, "account_id": name})


@pytest.mark.parametrize("name", ["", "x" * 65, "a b", "ä", "a/b", "@exchange", "@prices", "a\n", 7, None])
def test_an_id_of_another_kind_is_malformed(name: Any) -> None:
    with pytest.raises(Malformed, match="account_id"):
        parse_command({**DEPOSIT, "account_id": name})


@pytest.mark.parametrize("symbol", ["U", "usdt", "USDTUSDTUSDT1", "US T", "", 5])
def test_a_symbol_of_another_kind_is_malformed(symbol: Any) -> None:
    with pytest.raises(Malformed, match="asset"):
        parse_command({**DEPOSIT, "asset": symbol})


@pytest.mark.parametrize(
    "wallet", ["", "margin", "isolated", "isolated:BTC", "isolated:BTC/BTC", "CROSS", "isolated:btc/usdt"]
)
def test_a_wallet_of_another_name_is_malformed(wallet: str) -> None:
    with pytest.raises(Malformed):
        parse_command({**DEPOSIT, "type": "borrow", "wallet": wallet})


def test_spot_lends_nothing() -> None:
    with pytest.raises(Malformed, match="wallet"):
        parse_command({**DEPOSIT, "type": "borrow", "wallet": "spot"})


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_no_command_takes_a_field_it_does_not_know(name: str) -> None:
    with pytest.raises(Malformed, match="surprise"):
        parse_command({"type": name, "surprise": 1})


@pytest.mark.parametrize("content", [None, 1, "deposit", [], {}, {"type": "print"}, {"type": 5}, {"type": ["deposit"]}])
def test_what_is_no_command_is_malformed(content: Any) -> None:
    with pytest.raises(Malformed):
        parse_command(content)


@pytest.mark.parametrize("time", ["2026-01-15T12:00:00Z", "2026-01-15T14:00:00+02:00", "2026-01-15T12:00:00.000Z"])
def test_a_time_is_rfc_3339(time: str) -> None:
    command = parse_command({**DEPOSIT, "effective_at": time})
    assert command.effective_at == datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "time", [1768478400, 1768478400.5, "2026-01-15", "2026-01-15T12:00:00", "noon", "", True, "1768478400"]
)
def test_a_time_of_another_kind_is_malformed(time: Any) -> None:
    with pytest.raises(Malformed, match="effective_at"):
        parse_command({**DEPOSIT, "effective_at": time})


@pytest.mark.parametrize("version", [-1, 1.0, "1", True])
def test_an_expected_version_is_a_whole_number(version: Any) -> None:
    with pytest.raises(Malformed, match="expected_version"):
        parse_command({**DEPOSIT, "expected_version": version})


# Keys


KEYLESS = {"type": "open_account", "account_id": "alice"}


def test_a_key_may_be_left_out_of_opening_marking_and_examining() -> None:
    assert parse_command(KEYLESS).key is None
    assert parse_command({"type": "mark_prices", "prices": {"BTC/USDT": "1"}, "source": "x"}).key is None
    assert parse_command({**KEYLESS, "type": "examine", "wallet": "cross"}).key is None


@pytest.mark.parametrize("asked", [{**KEYLESS, "type": "freeze_account"}, {**DEPOSIT, "idempotency_key": None}])
def test_a_key_is_needed_elsewhere(asked: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match="idempotency_key"):
        parse_command(asked)


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ({**DEPOSIT, "idempotency_key": None, "deposit_id": "D1"}, "deposit:D1"),
        ({**KEYLESS, "type": "settle_withdrawal", "withdrawal_id": "W1"}, "settle_withdrawal:W1"),
        ({**KEYLESS, "type": "cancel_withdrawal", "withdrawal_id": "W1"}, "cancel_withdrawal:W1"),
        ({**KEYLESS, "type": "release_hold", "hold_id": "H1"}, "release_hold:H1"),
        ({**KEYLESS, "type": "release_hold", "hold_id": "H1", "idempotency_key": "mine"}, "mine"),
    ],
)
def test_where_a_command_names_its_own_thing_that_serves_as_the_key(asked: dict[str, Any], key: str) -> None:
    assert parse_command(asked).key == key


@pytest.mark.parametrize("key", ["", "a b", "x" * 129, "ä", 5])
def test_a_key_of_another_kind_is_malformed(key: Any) -> None:
    with pytest.raises(Malformed, match="idempotency_key"):
        parse_command({**DEPOSIT, "idempotency_key": key})


@pytest.mark.parametrize(
    ("amount", "written"),
    [("1.500", "1.5"), ("100", "100"), ("0.00", "0"), ("-0", "0"), ("1E+3", "1000"), ("1E-9", "0.000000001")],
)
def test_answers_write_amounts_plainly(amount: str, written: str) -> None:
    assert plain(Decimal(amount)) == written
