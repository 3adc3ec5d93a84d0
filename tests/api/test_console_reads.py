"""What the log of reads has of the console's views: who looked, why, and which lines belong to one view."""

import re
from typing import Any

import httpx
import pytest

from tests.api.command_line import served
from tests.api.console_visitor import Visitor
from tests.api.house import House

VIEWS: dict[str, set[str | None]] = {
    "/accounts/alice": {"alice"},
    "/accounts/alice?version=2": {"alice"},
    "/events/7": {None},
    "/accounts": {None},
    "/reports/exposure": {None},
    "/liquidations/lucy.5": {"lucy"},
}


def newest(house: House) -> int:
    with house.pool.connection() as connection:
        row = connection.execute("select coalesce(max(number), 0) from reads").fetchone()
    assert row is not None
    return int(row[0])


def since(house: House, number: int) -> list[tuple[Any, ...]]:
    with house.pool.connection() as connection:
        return connection.execute(
            "select actor, purpose, correlation_id, account_id, what, parameters from reads where number > %s", [number]
        ).fetchall()


def test_where_a_purpose_is_required_nobody_signs_in_without_one_and_every_view_says_it(
    told: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_PURPOSE_REQUIRED", "true")
    with served(told.url, "api") as address, httpx.Client(base_url=f"{address}/console", timeout=60) as http:
        # The whole view is waited for, or its last questions would be counted with the next one.
        http.headers["Prefer"] = "wait=20"
        assert re.search(r'name="purpose"[^>]*required', http.get("/sign-in").text)
        for purpose in ("", "   "):
            refused = http.post("/sign-in", data={"key": told.key("auditor"), "purpose": purpose})
            assert refused.status_code == 400
            assert "reads customers&#x27; data without saying why; state it in the field What for" in refused.text
        assert http.post("/sign-in", data={"key": told.key("auditor"), "purpose": " Prüfung "}).status_code == 303
        for path, accounts in VIEWS.items():
            before = newest(told)
            assert http.get(path).status_code == 200
            left = since(told, before)
            assert {one[:2] for one in left} == {("auditor:auditor", "Prüfung")}, path
            assert len({one[2] for one in left}) == 1, path
            assert accounts <= {one[3] for one in left}, path


def test_no_view_asks_the_same_twice_and_the_start_page_is_six_lines(told: House) -> None:
    with served(told.url, "api") as address:
        auditor = Visitor(address, told.key("auditor"))
        for path in ("/", *VIEWS):
            before = newest(told)
            auditor.page(path)
            asked = [(one[4], str(one[5])) for one in since(told, before)]
            assert len(asked) == len(set(asked)), path
            if path == "/":
                assert len(asked) == 6
