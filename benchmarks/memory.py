"""Resident size after a million accounts, in a process and a database of its own."""

import time
from typing import Any

from benchmarks.processes.child import Child
from benchmarks.screen import Told

WORK = "each account opened, and one deposit made to it"


def measure_memory(url: str, accounts: int, told: Told) -> dict[str, Any]:
    """What the process says of itself before the first account, on the way, and after the last."""
    child = Child(url, str(accounts), module="benchmarks.processes.memory")
    try:
        started = time.monotonic()
        before = last = child.hear()
        way = []
        while last["touched"] < accounts:
            reached, last = last["touched"], child.hear()
            told(last["touched"] - reached)
            way.append([last["touched"], round(last["resident_mb"], 1)])
        seconds = time.monotonic() - started
    finally:
        child.close()
    return {
        "accounts_touched": accounts,
        "work": WORK,
        "resident_mb": round(last["resident_mb"], 1),
        "resident_mb_before": round(before["resident_mb"], 1),
        "resident_mb_on_the_way": way,
        "cached_accounts": last["cached_accounts"],
        "commands_per_second": round(2 * accounts / seconds, 1),
    }
