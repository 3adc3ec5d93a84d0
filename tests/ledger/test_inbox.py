"""Requests wait in order, up to a bound, and are taken together."""

import pytest

from ledger import TooManyRequests, parse_command
from ledger.inbox import Inbox, Request
from tests.ledger.submitting import opening


def test_a_full_inbox_takes_no_more(database: str) -> None:
    inbox = Inbox(most_commands=2)
    command = parse_command(opening("alice"))
    inbox.put([Request([command, command], "test", "c", atomic=False)])
    with pytest.raises(TooManyRequests, match="2 commands wait, at most 2 may"):
        inbox.put([Request([command], "test", "c", atomic=False)])
    assert len(inbox.take(1)) == 1
    inbox.put([Request([command], "test", "c", atomic=False)])


def test_requests_given_up_while_they_wait_are_dropped() -> None:
    inbox = Inbox(most_commands=10)
    kept, given_up = (Request([parse_command(opening(name))], "test", "c", atomic=False) for name in ("a", "b"))
    inbox.put([given_up, kept])
    given_up.answer.cancel()
    assert inbox.take(10) == [kept]
