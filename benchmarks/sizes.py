"""How large a benchmark's run is: the options that all benchmarks have, and what is chosen by them."""

import argparse
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


def count(text: str) -> int:
    """A whole number of at least 1, as the command line states it: digits may be grouped by `_` or `,`."""
    number = int(text.replace("_", "").replace(",", ""))
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} was asked for, at least 1 is needed")
    return number


class Size(NamedTuple):
    """One size of a run: as it is, as it is in a quick run, what it counts, and how it is read."""

    usual: float
    quick: float
    told: str
    kind: Callable[[str], float] = count


Sizes = Mapping[str, Size]


def parser_of(program: str, description: str, sizes: Sizes) -> argparse.ArgumentParser:
    """The options of a benchmark: its sizes, and those that all have."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{program}", description=description)
    for name, size in sizes.items():
        said = f"{size.told} ({size.usual:,}; quick: {size.quick:,})"
        parser.add_argument(f"--{name.replace('_', '-')}", type=size.kind, metavar="N", help=said)
    parser.add_argument("--seed", type=int, default=1, help="the same seed asks for the same work")
    parser.add_argument("--quick", action="store_true", help="a small run that shows that it works; its figures do not")
    parser.add_argument("--json", action="store_true", help="end with one JSON object, as the last line")
    return parser


def chosen(asked: argparse.Namespace, sizes: Sizes) -> dict[str, Any]:
    """The fields of a plan that all have: every size as it was asked for, else as it is in such a run."""
    stated = {name: getattr(asked, name) for name in sizes}
    usual = {name: size.quick if asked.quick else size.usual for name, size in sizes.items()}
    found = {name: usual[name] if one is None else one for name, one in stated.items()}
    return {**found, "seed": asked.seed, "is_quick": asked.quick, "as_json": asked.json}
