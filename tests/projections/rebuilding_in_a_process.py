"""Rebuilds projections again and again until it is killed: python -m tests.projections.rebuilding_in_a_process URL."""

import sys

from projections.rebuild import rebuild

if __name__ == "__main__":
    while True:
        rebuild(sys.argv[1], ["accounts", "balances"])
