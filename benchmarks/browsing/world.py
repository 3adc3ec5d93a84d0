"""The world that is browsed: a large log with its projections and its seal, made anew or kept in a folder."""

import json
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.browsing.fallen import requests_of_fallen
from benchmarks.browsing.plan import ConsolePlan
from benchmarks.reading.live import catch_up_live
from benchmarks.reading.log import MadeLog, make_log
from benchmarks.screen import Screen
from benchmarks.server import PREFIX, server_of
from ledger import Ledger, Refused, parse_command
from ledger.log import log_end
from ledger.postgres import connect
from ledger.sealer import Sealer, SealSettings, open_sealing, seal_to_end

MADE = "made.json"


class World(NamedTuple):
    """A database whose projections are at the log's end, and what can be asked for in it."""

    home: Path
    url: str
    log: MadeLog


@contextmanager
def world_of(plan: ConsolePlan, screen: Screen) -> Iterator[World]:
    """The world of the folder that the plan names, or one that is gone afterwards."""
    with _home_of(plan.log) as home:
        # The keys that texts and checkpoints are made with are the world's own, here and in the server's process.
        os.environ["LEDGER_HOME"] = str(home)
        with server_of(home) as databases:
            url = databases.first
            yield World(home, url, _kept(home, url) or _made(plan, home, url, screen))


@contextmanager
def _home_of(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder.resolve()
        return
    home = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        yield home
    finally:
        shutil.rmtree(home)


def _kept(home: Path, url: str) -> MadeLog | None:
    """The log that the folder has whole; None where it has none."""
    told = home / MADE
    return MadeLog(**{**json.loads(told.read_text()), "url": url}) if told.exists() else None


def _made(plan: ConsolePlan, home: Path, url: str, screen: Screen) -> MadeLog:
    with connect(url) as connection:
        recorded = log_end(connection).position
    if recorded:
        raise RuntimeError(f"{home} has a log of {recorded} events that was not made to its end: remove the folder")
    log = make_log(plan, url, screen.step("recording events", plan.events))
    _let_fall(plan, url)
    catch_up_live(log, screen.step("catching up", log.events))
    screen.say("sealing")
    with open_sealing(url) as connection:
        seal_to_end(connection)
        Sealer(connection, SealSettings()).sign()
    (home / MADE).write_text(json.dumps(log._asdict()))
    return log


def _let_fall(plan: ConsolePlan, url: str) -> None:
    with Ledger(url) as ledger:
        for request in requests_of_fallen(plan.fallen, random.Random(plan.seed)):
            outcomes = ledger.submit([parse_command(one) for one in request], actor="admin:benchmark")
            refused = next((one for one in outcomes if isinstance(one, Refused)), None)
            if refused is not None:
                raise RuntimeError(f"what falls was refused: {refused.refusal.detail}")
