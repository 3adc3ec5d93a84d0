"""Rebuilds projections again and again until it is killed: python -m tests.projections.rebuilding_in_a_process URL.

With a further argument `apart`, processes are started for that however short the log is.
"""

import sys

from projections import apart
from projections.rebuild import rebuild

if __name__ == "__main__":
    if "apart" in sys.argv:
        apart.FROM_EVENTS = 1
    while True:
        rebuild(sys.argv[1], ["accounts", "balances"])
