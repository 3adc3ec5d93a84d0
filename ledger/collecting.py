"""How seldom a process that decides much looks for cycles of garbage."""

import gc

COLLECTED_AFTER = (50_000, 20, 100)
"""Thresholds of the three generations: so many new objects, and so many collections of the generation before."""


def collect_seldom() -> None:
    """Have the collector leave alone what is there for good, and look seldom at what comes.

    For processes that write much, once they have started: decisions leave no cycles, while accounts in memory are what
    the collector would look through again and again, everybody waiting meanwhile.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)
