"""Stories that several questions are asked about."""

from datetime import timedelta

from ledger import events as e
from tests.ledger.given import NOON, happened
from tests.ledger.happenings import (
    BTC_BUCKET,
    accrued,
    asset_listed,
    borrowed,
    called,
    deposited,
    line,
    margin_added,
    marked,
    mode_set,
    opened,
    pair_listed,
    repaid,
    traded,
    transferred,
)
from tests.projections.story import Story

MINUTE = timedelta(minutes=1)


def exchange_opens(story: Story) -> None:
    """Four assets without interest, four pairs (10x, 5x, 3x, 3x), and a first price vector at noon: 9 events."""
    story.on_exchange(*[asset_listed(asset) for asset in ("USDT", "BTC", "ETH", "SOL")])
    story.on_exchange(pair_listed("BTC/USDT", "10"), pair_listed("ETH/USDT", "5"), pair_listed("SOL/USDT", "3"))
    story.on_exchange(pair_listed("ETH/BTC", "3", 6), marked())


def pool_of_the_worked_numbers(story: Story) -> None:
    """Alice has 20,000 USDT in cross, of which 5,150 are borrowed."""
    story.of("alice", opened(), deposited("14850", "USDT"), transferred("14850", "USDT"), borrowed("5150", "USDT"))


def short_of_the_worked_numbers(story: Story) -> None:
    """Bob is short 0.1 BTC at 50,000 in a bucket that then holds 6,000 USDT."""
    story.of("bob", opened(), deposited("1000", "USDT"), mode_set("isolated"), margin_added("1000", "USDT"))
    story.of("bob", borrowed("0.1", "BTC", wallet=BTC_BUCKET), traded("sell", "0.1", "50000", wallet=BTC_BUCKET))


def debt_with_interest(story: Story) -> None:
    """Carol owes 14 USDT, is charged 0.01866667 USDT for the hour of noon, and repays 14."""
    story.of("carol", opened(), deposited("100", "USDT"), transferred("100", "USDT"), borrowed("14", "USDT"))
    story.of("carol", accrued(line("0.01866667", "USDT", "14", "0.032")), repaid("0.01866667", "13.98133333", "USDT"))


def crash_with_deficit(story: Story, account_id: str = "dan", price: str = "30000") -> None:
    """Dan's long of 1 BTC, bought at 50,000 with 40,000 borrowed, is liquidated at 30,000; the fund holds 4,000."""
    story.on_exchange(happened(e.InsuranceFunded, asset="USDT", amount="4000"))
    story.of(account_id, opened(), deposited("10000", "USDT"), transferred("10000", "USDT"), borrowed("40000", "USDT"))
    story.of(account_id, traded("buy", "1", "50000"), called("cross", NOON + MINUTE))
    story.on_exchange(marked(BTC=price), at=NOON + 2 * MINUTE)
    story.when(account_id, NOON + 2 * MINUTE, type="examine", wallet="cross")
