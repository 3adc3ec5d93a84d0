"""Questions beside their baselines: every one is asked, and a ratio is the median of the rounds' own."""

from benchmarks.beside import Beside, measured_beside
from benchmarks.contenders.as_of import KINDS, QUESTIONS, as_of_ratio, as_of_ratios
from benchmarks.contenders.audit import audit_query_ratio, audit_query_ratios
from projections.runner import catch_up
from tests.projections.logs import recorded_log


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    one = Beside("any", [2.0, 9.0, 4.0], [8.0, 8.0, 8.0], [1.0, 3.0, 1.0], [1.0, 4.0, 2.0])
    assert (one.p50_ratio, one.p99_ratio) == (3.0, 4.0)


def test_a_question_and_its_baseline_take_turns_and_the_first_round_does_not_count() -> None:
    asked: list[str] = []
    (found,) = measured_beside(
        {"any": (lambda: asked.append("question"), lambda: asked.append("baseline"))}, rounds=2, asked_per_round=3
    )
    assert asked == ["question", "baseline"] * 9
    assert (len(found.p50_ms), len(found.baseline_p99_ms)) == (2, 2)


def test_every_question_is_measured_on_a_real_log(database: str) -> None:
    log = recorded_log(database)
    catch_up(database)
    accounts = sorted({event.account_id for event in log if not event.account_id.startswith("@")})
    found = as_of_ratios(database, accounts[0], accounts[1], rounds=1, asked_per_round=2)
    assert [one.name for one in found] == [f"{name} as of {kind}" for name in QUESTIONS for kind in KINDS]
    assert as_of_ratio(found) == max(one.p50_ratio for one in found)
    queries = audit_query_ratios(database, accounts[0], rounds=1, asked_per_round=2)
    assert audit_query_ratio(queries) == max(one.p99_ratio for one in queries) > 0
