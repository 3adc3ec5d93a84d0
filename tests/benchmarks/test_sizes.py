"""All benchmarks read their sizes alike."""

from collections.abc import Callable, Sequence

import pytest

from benchmarks.browsing.plan import read_plan as plan_of_the_console
from benchmarks.plan import read_plan as plan_of_the_write_path
from benchmarks.reading.plan import read_plan as plan_of_the_read_side
from benchmarks.watching.plan import read_plan as plan_of_the_risk_engine

READERS = [plan_of_the_write_path, plan_of_the_read_side, plan_of_the_risk_engine, plan_of_the_console]


@pytest.mark.parametrize("read_plan", READERS)
def test_a_size_of_nothing_is_refused(
    capsys: pytest.CaptureFixture[str], read_plan: Callable[[Sequence[str]], object]
) -> None:
    with pytest.raises(SystemExit):
        read_plan(["--rounds", "0"])
    assert "0 was asked for, at least 1 is needed" in capsys.readouterr().err
