"""`ledger diff`: what changed between two points, as tables and as JSON; numbers worked by hand."""

import json

from tests.api.command_line import CommandLine
from tests.ledger.happenings import BTC_BUCKET


def test_diff_tells_balances_causes_and_events(ledger: CommandLine) -> None:
    """From the loan to the repayment equity loses 20 and 20 with the trade, 10 of interest, 200 - 2,200 with prices."""
    ended = ledger("diff", "alice", "--from", "13", "--to", "19")
    assert ended.code == 0
    shown = [line.split() for line in ended.out.splitlines()]
    assert ended.out.startswith("alice from position 13 to position 19\n3 events: 1 interest.accrued, 1 loan.repaid")
    assert ["cross", "USDT", "free", "20000", "4960", "-15040"] in shown
    assert ["cross", "BTC/USDT", "cost", "0", "10020", "10020"] in shown
    assert ["prices", "-2000", "-0.19978022", "-0.19978022"] in shown
    assert ["loans", "0", "+0.79262055", "+0.79262055"] in shown
    assert ["to", "7950", "2.58682634", "2.58682634"] in shown
    assert "cross USDT free -5000 borrowed -4990 interest -10" in ended.out
    assert "E-" not in ended.out


def test_diff_as_json_is_the_answer_of_the_question(ledger: CommandLine) -> None:
    found = json.loads(ledger("diff", "alice", "--from", "13", "--to", "19", "--limit", "1", "--json").out)
    assert (found["next"], found["counts"]["events"]) == (14, 3)
    assert found["wallets"]["cross"]["equity"]["change"] == "-2050"
    of_bucket = json.loads(ledger("diff", "bob", "--wallet", BTC_BUCKET, "--json").out)
    assert list(of_bucket["wallets"]) == [BTC_BUCKET]


def test_diff_by_business_time_and_what_it_refuses(ledger: CommandLine) -> None:
    dated = ledger("diff", "alice", "--effective", "--from", "2026-01-15T12:02:00", "--to", "2026-01-15T12:04:00")
    assert "1 events: 1 interest.accrued" in dated.out
    for arguments, code, why in [
        (["alice", "--from", "19", "--to", "13"], 2, "lies after position 13, `to`"),
        (["alice", "--from", "9"], 1, "not opened by position 9, the point `from`"),
        (["nobody"], 1, "unknown_account"),
        (["alice", "--wallet", "margin"], 2, "'margin' is no wallet"),
        (["alice", "--effective"], 2, "neither is given"),
        (["alice", "--effective", "--from", "12"], 2, "12 is a position"),
    ]:
        ended = ledger("diff", *arguments)
        assert (ended.code, ended.out) == (code, ""), arguments
        assert why in ended.err


def test_diff_without_projections_says_what_runs_them(command_line: CommandLine, unprojected_database: str) -> None:
    command_line.use(unprojected_database)
    ended = command_line("diff", "alice")
    assert (ended.code, ended.out) == (1, "")
    assert "the projections were never started; ledger serve or ledger project runs them" in ended.err
