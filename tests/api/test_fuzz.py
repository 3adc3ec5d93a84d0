"""Whatever is sent, the doors answer with less than 500, and what is refused leaves the log as it was."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ledger import COMMANDS
from tests.api.house import House, deposit, open_account
from tests.api.test_roles import FIELDS

AMOUNTS = ["1", "0.5", "0", "-1", "1e9", "NaN", "999999999999", "0.000000001", "9" * 38, "9" * 39]
WORDS = [
    "fuzz-1",
    "fuzz-2",
    "spot",
    "cross",
    "isolated:BTC/USDT",
    "USDT",
    "BTC",
    "DOGE",
    "BTC/USDT",
    "ETH/BTC",
    "all",
    "",
]
TIMES = ["2026-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2026-01-01T05:00:00+05:00", "9998-12-31T23:59:59Z", "soon"]
SCALARS = st.one_of(
    st.sampled_from(AMOUNTS + WORDS + TIMES),
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def nearly_commands(draw: st.DrawFn) -> dict[str, Any]:
    """A well-formed command, of which some fields are put, left out or replaced."""
    kind = draw(st.sampled_from(sorted(COMMANDS)))
    content: dict[str, Any] = {
        "type": kind,
        "account_id": "fuzz-1",
        "idempotency_key": draw(st.text("abc", max_size=3)),
    }
    content.update(FIELDS[kind])
    if "account_id" not in COMMANDS[kind].model_fields:
        del content["account_id"]
    known = [field.alias or name for name, field in COMMANDS[kind].model_fields.items()]
    for name in draw(st.lists(st.sampled_from(known), max_size=3)):
        if draw(st.booleans()):
            content[name] = draw(VALUES)
        else:
            content.pop(name, None)
    return content


@pytest.fixture(scope="module")
def target(house: House) -> House:
    for name in ("fuzz-1", "fuzz-2"):
        house.send(open_account(name), deposit(name, "100000", "d0"))
    return house


QUICKLY = settings(
    max_examples=200,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@QUICKLY
@given(commands=st.lists(nearly_commands(), min_size=1, max_size=8))
def test_no_command_breaks_the_doors_and_no_refusal_leaves_a_trace(
    target: House, commands: list[dict[str, Any]]
) -> None:
    before = target.log_end()
    answer = target.post(commands)
    assert answer.status_code < 500, answer.text
    if answer.status_code != 200:
        assert target.log_end() == before
        return
    results = answer.json()["results"]
    assert len(results) == len(commands)
    recorded = sum(len(result["events"]) for result in results if result["status"] == "recorded")
    assert target.log_end() == before + recorded
    assert all(result["problem"]["status"] < 500 for result in results if result["status"] == "refused")


@QUICKLY
@given(command=nearly_commands(), atomic=st.booleans())
def test_no_command_alone_breaks_the_doors(target: House, command: dict[str, Any], atomic: bool) -> None:
    before = target.log_end()
    answer = target.post(command, params={"atomic": "true"} if atomic else {})
    assert answer.status_code < 500, answer.text
    if answer.status_code != 200:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
        assert target.log_end() == before


@QUICKLY
@given(
    body=st.one_of(
        st.binary(max_size=200),
        VALUES.map(lambda value: json.dumps(value).encode()),
        st.text(max_size=100).map(lambda text: text.encode(errors="surrogatepass")),
    ),
    lines=st.booleans(),
)
def test_no_body_breaks_the_doors(target: House, body: bytes, lines: bool) -> None:
    before = target.log_end()
    answer = target.post(body, headers={"Content-Type": "application/x-ndjson"} if lines else {})
    assert answer.status_code < 500, answer.text
    assert target.log_end() == before


def test_after_all_that_the_books_still_balance(target: House) -> None:
    answer = target.get("/v1/reports/trial-balance").json()
    assert {asset["total"] for asset in answer["assets"].values()} <= {"0"}
