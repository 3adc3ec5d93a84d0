"""Every refusal there is has a status, a description and a problem that keeps to RFC 9457."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

import api.app
from api.problems import FAMILIES, LONGEST_DETAIL, STATUS, answer_problem, describe, kinds, problem_of, status_of
from ledger import Refusal, Unavailable
from ledger import errors as e
from tests.api.house import House

ALL = list(kinds())
assert api.app  # Loads every module that defines refusals of its own.


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.code)
def test_every_refusal_has_a_status_of_its_family(kind: type[Refusal]) -> None:
    assert any(above in STATUS for above in kind.__mro__)
    assert 400 <= status_of(kind) < 600
    assert describe(kind.code)["status"] == status_of(kind)


def test_codes_are_unique_and_stay_within_letters() -> None:
    codes = [kind.code for kind in ALL]
    assert len(set(codes)) == len(codes)
    assert all(code.replace("_", "").isalpha() and code == code.lower() for code in codes)


def test_every_family_says_what_can_be_done() -> None:
    assert set(FAMILIES) == set(STATUS)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (e.Malformed, 400),
        (e.TooManyDecimals, 400),
        (e.UnknownAccount, 404),
        (e.InsufficientFunds, 409),
        (e.AccountFrozen, 409),
        (e.NothingToDo, 409),
        (e.PriceStale, 409),
        (e.BatchRefused, 409),
        (e.VersionMismatch, 412),
        (e.IdempotencyKeyReused, 422),
        (e.TooManyRequests, 429),
        (e.Unavailable, 503),
    ],
)
def test_statuses_are_those_of_the_contract(kind: type[Refusal], status: int) -> None:
    assert status_of(kind) == status


def test_a_problem_has_the_members_of_the_standard_and_its_own() -> None:
    refusal = e.InsufficientFunds(
        "too little", free=Decimal("40.00"), at=datetime(2026, 1, 1, tzinfo=UTC), pairs=("a",), status="hidden"
    )
    assert problem_of(refusal) == {
        "type": "/problems/insufficient_funds",
        "code": "insufficient_funds",
        "title": "There is not enough free",
        "status": 409,
        "detail": "too little",
        "free": "40",
        "at": "2026-01-01T00:00:00Z",
        "pairs": ["a"],
    }


def test_a_detail_is_bounded_and_can_always_be_written() -> None:
    answer = answer_problem(e.Malformed("x" * 10 * LONGEST_DETAIL + "\ud800"))
    assert len(answer.body) < 2 * LONGEST_DETAIL
    assert answer_problem(e.Malformed("\ud800")).status_code == 400


@pytest.mark.parametrize("kind", [e.TooManyRequests, Unavailable])
def test_who_must_wait_is_told_how_long(kind: type[Refusal]) -> None:
    assert int(answer_problem(kind("later")).headers["retry-after"]) >= 1


def test_the_type_of_a_problem_leads_to_its_description(house: House) -> None:
    problem = house.get("/v1/accounts/nobody").json()
    described = house.http.get(problem["type"]).json()
    assert described["code"] == problem["code"] == "unknown_account"
    assert {one["code"] for one in house.http.get("/problems").json()["problems"]} >= {
        "malformed",
        "insufficient_funds",
    }
