"""A preview as HTML: whatever an event states is told, and amounts below each other align."""

from api.console.previewing import changes_card, events_card
from api.console.writing import Column, Markup, amount, link, table

INTEREST = {"asset": "BTC", "rate": "0.0002", "principal": "0.2", "first_hour": "2024-03-06T01:00:00Z", "hours": 3}
POSTED = [
    {"wallet": "spot", "part": "free", "asset": "BTC", "amount": "-1"},
    {"part": "free", "house": "external", "asset": "BTC", "amount": "1"},
]
EVENT = {"topic": "event.reversed", "account_id": "alice", "version": 9, "effective_at": "2024-03-06T01:00:00Z"}


def test_lines_of_every_kind_of_event_are_told_with_all_that_they_state() -> None:
    told = events_card([{**EVENT, "lines": [INTEREST]}, {**EVENT, "lines": POSTED, "follows": False}])
    assert ">2 events, under the version an" in told
    assert ">2024-03-06 01:00:00</time>" in told
    for name in ("Principal", "First hour", "Hours", "Wallet", "House"):
        assert f">{name}</th>" in told


def test_what_is_dated_when_it_is_recorded_says_so_and_a_price_states_its_own_time() -> None:
    assert "the moment it is recorded" in events_card([EVENT])
    price = {**EVENT, "topic": "prices.marked", "account_id": "@prices"}
    assert ">2024-03-06 01:00:00</time>" in events_card([price])


def test_where_nothing_changes_it_is_said_in_words() -> None:
    same = {"version": {}, "blocks": {"before": ["trade"], "after": ["trade"]}, "balances": [], "positions": []}
    assert ">Nothing.</p>" in changes_card({"alice": {**same, "margin_levels": {}}}, Markup("Nothing."))


def test_the_amounts_of_a_column_align_at_the_point() -> None:
    columns = [Column("Name"), Column("Amount", figures=True), Column("Count", figures=True)]
    rows = [("a", amount("1.25"), "7"), ("b", link(amount("-3.1234"), "/"), "8"), ("c", amount(None), "9")]
    told = table(columns, rows, "")
    assert told.count('style="--decimals:5ch" data-title="Amount"') == 3
    assert told.count("style=") == 3


def test_levels_that_stay_are_not_listed_and_what_moves_alone_of_a_position_or_of_collateral_is() -> None:
    """A fee that is taken back moves the realised profit and no quantity."""
    same = {"version": {}, "blocks": {"before": [], "after": []}, "balances": []}
    level = {"margin_level": "2.00000000", "collateral_margin_level": "1.90000000", "band": "normal"}
    position = {"quantity": "1", "cost": "100", "realised_profit": "5"}
    row = {"wallet": "cross", "pair": "BTC/USDT", "before": position, "after": {**position, "realised_profit": "7"}}
    levels = {"cross": {"before": level, "after": {**level, "collateral_margin_level": "1.80000000"}}}
    told = changes_card({"alice": {**same, "positions": [row], "margin_levels": levels}}, Markup(""))
    assert "BTC/USDT realised profit" in told
    assert "quantity" not in told
    assert "cross, of collateral" in told
    assert "2.00000000" not in told
