"""`ledger replay --step`: one event after the other on a terminal, with the account before and after it."""

import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from api.command_line.history import Passage
from api.command_line.screen import Exit, say, stop
from api.command_line.telling import print_standing, told

ENDED = b""
NEXT, PREVIOUS, QUIT = {b"n", b"\r", b"\n", b" "}, {b"p"}, {b"q", b"\x04", ENDED}
KEYS = "n or Enter: next, p: previous, q: quit"


def require_terminal() -> None:
    """Ends the command where there are no keys to be pressed."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        stop(
            "--step waits for keys and needs a terminal; leave it out, or use --until to stop at a condition",
            Exit.USAGE,
        )


@contextmanager
def keys() -> Iterator[Callable[[], bytes]]:
    """A function that waits for a key. The terminal gives each at once and shows none until the context ends, so that
    no key is lost that is pressed while something is printed.
    """
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal, termios.TCSANOW)
    try:
        yield lambda: os.read(terminal, 1)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def step_through(passages: Iterator[Passage], read_key: Callable[[], bytes]) -> bool:
    """Shows the first step, and at each key the next or the one before; whether it came to the end of the steps."""
    seen: list[Passage] = []
    place = 0
    while True:
        if place == len(seen):
            further = next(passages, None)
            if further is None:
                return True
            seen.append(further)
        _show(seen[place])
        say(f"-- step {place + 1}; {KEYS}")
        moved = _moved(read_key, place)
        if moved is None:
            return False
        place = moved


def _moved(read_key: Callable[[], bytes], place: int) -> int | None:
    """The place after the first key that means something; None to quit."""
    while True:
        key = read_key()
        if key in QUIT:
            return None
        if key in NEXT:
            return place + 1
        if key in PREVIOUS and place:
            return place - 1
        if key in PREVIOUS:
            say("-- this is the first step")


def _show(passage: Passage) -> None:
    _print_state("before", passage.before)
    for line in told(passage.step, passage.event):
        say(line)
    _print_state("after", passage.after)


def _print_state(words: str, standing: dict[str, Any] | None) -> None:
    if standing is not None:
        say(f"\n{words}")
        print_standing(standing)
        say("")
