"""The benchmark of the log of reads runs, and asks the same of both."""

import pytest

from benchmarks.reads import QUESTIONS, Load, run


@pytest.mark.long
def test_a_small_run_tells_of_every_question() -> None:
    found = run(Load(rounds=1, requests=64, clients=2))
    for name in QUESTIONS:
        measured = found[name]
        assert isinstance(measured, dict)
        assert {"rate_ratio", "p50_ratio", "processor_time_ratio"} <= set(measured)
        assert all(figure > 0 for figure in measured.values())
