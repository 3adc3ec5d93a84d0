"""Runs projections in a process of its own, until it is killed; its arguments are URL, BATCH_SIZE and names."""

import logging
import sys
import threading

from projections.runner import run

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    url, batch_size, *names = sys.argv[1:]
    run(url, threading.Event(), names, batch_size=int(batch_size))
