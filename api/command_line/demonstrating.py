"""`ledger demo`: a market played through everything there is, told, verified and then served."""

import socket
from collections.abc import Sequence
from pathlib import Path
from random import Random
from time import monotonic
from typing import Annotated

import typer

from api.command_line.database import DEMO_DATABASE, server_url, url_of_database
from api.command_line.screen import Exit, note, out, say, show_progress, stop
from api.command_line.serving import Address, serve_until_stopped
from api.command_line.verifying import verify_database
from api.demo import report
from api.demo.candles import CandlesUnusable, parse_period
from api.demo.cast import people
from api.demo.fresh_database import DatabaseRefused, demo_turn, make_fresh
from api.demo.house import RunningHouse, running_house
from api.demo.play import DemoFailed, Stage
from api.demo.scenario import Scenario, scenario_of_candles, seeded_scenario
from api.demo.story import story_of

DEFAULT_SEED, DEFAULT_ACCOUNTS = 7, 300


def demo(
    candles: Annotated[list[Path] | None, typer.Option(help="Real prices: a CSV file of candles; repeatable.")] = None,
    pair: Annotated[list[str] | None, typer.Option(help="The pair of each --candles, in the same order.")] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day of candles (UTC).")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day of candles (UTC).")] = None,
    accounts: Annotated[
        int, typer.Option(min=0, max=10_000, help="How many traders beside the two.")
    ] = DEFAULT_ACCOUNTS,
    seed: Annotated[int, typer.Option(help="Another seed plays another market with other people.")] = DEFAULT_SEED,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the result afterwards.")] = True,
    host: Annotated[str, typer.Option(help="Where to serve.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to serve; 0 takes a free one.")] = 8000,
) -> None:
    """Play a market with a crash through the real ledger, tell what happened, verify it, and serve it.

    Works on a database of its own, made anew each time. With --candles it plays real prices instead of invented ones.
    Ends with 1 if anything does not agree.
    """
    address = Address(host, port)
    try:
        scenario = _scenario(candles or [], pair or [], first, last, seed)
        if serve:
            _require_free(address)
        url = url_of_database(server_url(), DEMO_DATABASE)
        with demo_turn(server_url(), DEMO_DATABASE):
            make_fresh(server_url(), url, DEMO_DATABASE)
            _play_and_tell(url, scenario, accounts, seed)
            _verify(url)
    except CandlesUnusable as complaint:
        stop(str(complaint), Exit.USAGE)
    except (DatabaseRefused, DemoFailed) as complaint:
        stop(f"the demo failed: {complaint}")
    say("\nthe same database for other commands: ledger --demo replay carol, ledger --demo status")
    if serve:
        serve_until_stopped(url, address, key_name="demo-admin")


def _require_free(address: Address) -> None:
    """Complains before the play where its result could not be served after it."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        socket.create_server(address, family=family).close()
    except (OSError, OverflowError) as error:
        # The library goes on with the address in its own notation.
        reason = str(error).partition(" (while")[0]
        stop(
            f"cannot listen on {address.host} port {address.port}: {reason}; choose others with --host and --port, "
            "or play without serving: --no-serve"
        )


def _verify(url: str) -> None:
    out().rule("Verification: every event folded again from nothing", align="left")
    if not verify_database(url):
        raise typer.Exit(Exit.DIFFERENCE)


def _scenario(
    candles: Sequence[Path], pairs: Sequence[str], first: str | None, last: str | None, seed: int
) -> Scenario:
    if candles or pairs:
        return scenario_of_candles(candles, pairs, parse_period(first, last))
    if first is not None or last is not None:
        raise CandlesUnusable("--from and --to choose candles: name a file with --candles and its pair with --pair")
    return seeded_scenario(seed)


def _play_and_tell(url: str, scenario: Scenario, accounts: int, seed: int) -> None:
    note(f"playing {scenario.title} with {accounts} traders, Carol and Ivan")
    with running_house(url) as house:
        stage = Stage(scenario, list(people(scenario, accounts, Random(seed))), house)
        started = monotonic()
        _play(stage)
        report.print_play(scenario, stage.played, house.topics(), monotonic() - started)
        _tell(house, stage)


def _play(stage: Stage) -> None:
    with show_progress() as progress:
        task = progress.add_task("playing", total=len(stage.scenario.vectors), said="accounts are opened")
        stage.open()
        for vector in stage.steps():
            pair = stage.scenario.first.pair
            said = f"{vector.at:%Y-%m-%d %H:%M}  {pair} {vector.prices.get(pair, '-')}"
            progress.update(task, advance=1, said=said)


def _tell(house: RunningHouse, stage: Stage) -> None:
    with house.look() as snapshot:
        report.print_story(stage.scenario, story_of(snapshot, stage.scenario, stage.played))
        report.print_calls(snapshot)
        report.print_liquidations(snapshot)
        report.print_insurance(snapshot)
        report.print_trial_balance(snapshot)
