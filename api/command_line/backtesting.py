"""`ledger backtest`: a seeded population of traders put through real falls of prices, reported per day and verified."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from api.answers import json_of
from api.backtest.falls import ALL, Fall, fall_of_period, named_falls, pairs_of, synthetic_fall
from api.backtest.replay import ACTOR, BacktestFailed, Replay
from api.backtest.report import Replayed, print_report, report_of
from api.backtest.tally import tally_of
from api.command_line.database import BACKTEST_DATABASE, server_url, url_of_database
from api.command_line.screen import Exit, note, say, show_progress, shown_in, stop
from api.command_line.verifying import print_verification, verification_of
from api.demo.candles import CandlesUnusable, parse_period
from api.demo.fresh_database import DatabaseRefused, demo_turn, drop, make_fresh
from api.demo.house import running_house
from projections.trial_balance.queries import trial_balance

DEFAULT_SEED, DEFAULT_ACCOUNTS = 7, 200


def backtest(
    candles: Annotated[list[Path] | None, typer.Option(help="Real prices: a CSV file of candles; repeatable.")] = None,
    pair: Annotated[
        list[str] | None, typer.Option(help="The pair of each --candles; else its file's name says it: BTC-....csv.")
    ] = None,
    fall: Annotated[
        str | None, typer.Option(metavar="DATE", help="The fall that began on that day; or all of them (the default).")
    ] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help="Instead: first day to replay.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Instead: last day to replay.")] = None,
    synthetic: Annotated[bool, typer.Option("--synthetic", help="Replay an invented fall: needs no candles.")] = False,
    accounts: Annotated[
        int, typer.Option(min=1, max=10_000, help="How many traders each fall has.")
    ] = DEFAULT_ACCOUNTS,
    seed: Annotated[int, typer.Option(help="Another seed draws other traders.")] = DEFAULT_SEED,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the result, for ledger --backtest COMMAND.")] = False,
) -> None:
    """Replay falls of real prices with seeded traders, report calls, liquidations, deficits and fund use, and verify.

    Works on a database of its own, made anew each time; what was kept last stays until another run is kept. The same
    seed gives the same log to the digit, which the digest shows. Ends with 1 if anything does not agree.
    """
    try:
        falls = _falls(candles or [], pair or [], fall, first, last, synthetic=synthetic, seed=seed)
        replayed = _replay_afresh(falls, accounts, seed, keep=keep)
    except CandlesUnusable as complaint:
        stop(str(complaint), Exit.USAGE)
    except (DatabaseRefused, BacktestFailed) as complaint:
        stop(f"the backtest failed: {complaint}")
    _tell(replayed, as_json=as_json)
    if keep:
        note("it is kept for other commands: ledger --backtest status, ledger --backtest replay ACCOUNT")
    if not replayed.agrees:
        raise typer.Exit(Exit.DIFFERENCE)


def _falls(
    files: Sequence[Path],
    pairs: Sequence[str],
    name: str | None,
    first: str | None,
    last: str | None,
    *,
    synthetic: bool,
    seed: int,
) -> list[Fall]:
    period = parse_period(first, last)
    chosen = first is not None or last is not None
    if synthetic:
        if files or pairs or name or chosen:
            raise CandlesUnusable("--synthetic is a fall of its own: leave --candles, --pair, --fall, --from, --to out")
        return [synthetic_fall(seed)]
    if not files:
        raise CandlesUnusable("name files of candles with --candles, or replay an invented fall with --synthetic")
    if name and chosen:
        raise CandlesUnusable(f"--fall {name} has days of its own: leave --from and --to out, or --fall")
    pairs = pairs or pairs_of(files)
    return [fall_of_period(files, pairs, period)] if chosen else named_falls(files, pairs, name or ALL)


def _replay_afresh(falls: Sequence[Fall], accounts: int, seed: int, *, keep: bool) -> Replayed:
    # One that is not kept leaves the one that was kept last where it is.
    name = BACKTEST_DATABASE if keep else f"{BACKTEST_DATABASE}_unkept"
    url = url_of_database(server_url(), name)
    with demo_turn(server_url(), name):
        make_fresh(server_url(), url, name)
        try:
            return replay(url, falls, accounts, seed)
        finally:
            if not keep:
                drop(server_url(), name)


def replay(url: str, falls: Sequence[Fall], accounts: int, seed: int) -> Replayed:
    """Replays falls in an empty migrated database, and verifies it; refuses with BacktestFailed."""
    vectors = sum(len(fall.scenario.vectors) for fall in falls)
    note(f"replaying {', '.join(fall.name for fall in falls)} with {accounts:,} traders each, seed {seed}")
    with running_house(url, ACTOR) as house:
        replay = Replay(falls, accounts, seed, house)
        with show_progress() as progress:
            show = shown_in(progress, "replaying")
            for number, _ in enumerate(replay.steps(), start=1):
                show("price vectors", number, vectors)
        with house.look() as snapshot:
            tally = tally_of(snapshot.connection)
            balance = trial_balance(snapshot.connection, snapshot.position)
    verified = verification_of(url)
    return Replayed(falls, accounts, seed, replay.commands, replay.refusals, tally, balance, verified)


def _tell(replayed: Replayed, *, as_json: bool) -> None:
    if as_json:
        say(json_of(report_of(replayed), indent=2))
        return
    print_report(replayed)
    print_verification(replayed.verified)
