"""Two traders that the command line is asked about, and a terminal to ask on."""

import os
import pty
import select
import subprocess
import time

from tests.api.command_line import LEDGER
from tests.ledger.given import NOON
from tests.ledger.happenings import (
    BTC_BUCKET,
    accrued,
    borrowed,
    deposited,
    line,
    margin_added,
    marked,
    mode_set,
    opened,
    repaid,
    traded,
    transferred,
)
from tests.projections.stories import MINUTE, exchange_opens
from tests.projections.story import Story

PATIENCE_SECONDS = 60


def tell_of_two_traders(url: str) -> None:
    """Alice buys 0.2 BTC on a debt of 10,000 (events 10 to 19), and Bob goes short (21 to 26), all of it projected.

    Alice's level is 2, 1.996 after the trade and its fee, 2.016 at 51,000, 2.01398601 after interest, 1.79420579 at
    40,000, 2.58682634 after a repayment, and 16,960 / 5,010 at the end. Bob's is 1.2 at 50,000, and 1 at 60,000.
    """
    story = Story(url)
    exchange_opens(story)
    story.of("alice", opened(), deposited("10000", "USDT"), transferred("10000", "USDT"), borrowed("10000", "USDT"))
    story.of("alice", traded("buy", "0.2", "50100", fee="20"))
    story.on_exchange(marked(BTC="52000"), at=NOON + MINUTE)
    story.on_exchange(marked(BTC="51000"), at=NOON + 2 * MINUTE)
    story.of("alice", accrued(line("10", "USDT", "10000", "0.024")), at=NOON + 3 * MINUTE)
    story.on_exchange(marked(BTC="40000"), at=NOON + 4 * MINUTE)
    story.of("alice", repaid("10", "4990", "USDT"), at=NOON + 5 * MINUTE)
    story.on_exchange(marked(BTC="50000"), at=NOON + 6 * MINUTE)
    story.of("bob", opened(), deposited("1000", "USDT"), mode_set("isolated"), margin_added("1000", "USDT"))
    story.of("bob", borrowed("0.1", "BTC", wallet=BTC_BUCKET), traded("sell", "0.1", "50000", wallet=BTC_BUCKET))
    story.on_exchange(marked(BTC="60000"), at=NOON + 7 * MINUTE)
    with story.projected():
        pass


class Terminal:
    """`ledger` in a process of its own on a terminal of its own: keys go in, what is shown comes out."""

    def __init__(self, url: str, *arguments: str) -> None:
        self.shown = ""
        self._ours, its = pty.openpty()
        environment = {**os.environ, "LEDGER_DATABASE_URL": url, "TERM": "xterm", "COLUMNS": "160"}
        self._process = subprocess.Popen([LEDGER, *arguments], stdin=its, stdout=its, stderr=its, env=environment)
        os.close(its)

    def see(self, text: str) -> str:
        """What is shown up to a text, since the last time."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text not in self.shown:
            assert select.select([self._ours], [], [], deadline - time.monotonic())[0], self.shown
            self.shown += os.read(self._ours, 65_536).decode()
        seen, _, self.shown = self.shown.partition(text)
        return seen

    def press(self, key: str) -> None:
        os.write(self._ours, key.encode())

    def end(self) -> int:
        code = self._process.wait(PATIENCE_SECONDS)
        os.close(self._ours)
        return code
