"""Reports in the console: the figures of the API, as of any moment, page after page, and whole as files."""

import csv
import io
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl

import httpx
import pytest

from api.console.meanwhile import BEING_WORKED_OUT
from api.console.reporting import REPORTS, asked, what_if_asked
from api.console.what_if import sweep_chart
from tests.api.command_line import served
from tests.api.console_visitor import Visitor, html_of
from tests.api.house import House, deposit, open_account

SWEEP = {"sweep.of": "ETH", "sweep.from": "-50%", "sweep.to": "+0%", "sweep.step": "25%"}


@pytest.fixture(scope="module")
def reader(told: House) -> Iterator[Visitor]:
    """An auditor; besides the story there is a long of 0.03 BTC on 500 USDT borrowed."""
    move = {"type": "transfer", "account_id": "luke", "from": "spot", "to": "cross", "asset": "USDT", "amount": "1000"}
    fill = {"type": "book_fill", "account_id": "luke", "trade_id": "t1", "pair": "BTC/USDT", "side": "buy"}
    terms = {"quantity": "0.03", "price": "50000", "fee": "0", "fee_asset": "USDT", "auto_borrow": True}
    told.send(open_account("luke"), deposit("luke", "1000", "d1"), {**move, "idempotency_key": "m"}, {**fill, **terms})
    with served(told.url, "api") as address:
        yield Visitor(address, told.key("auditor"))


def rows_of(reader: Visitor, name: str, **query: str) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    answer = reader.file(f"{name}.csv", **query)
    assert answer.status_code == 200, answer.text
    return [*csv.DictReader(io.StringIO(answer.text))]


def with_more_than_a_page(told: House) -> None:
    """An account with 60 deposits, and so as many lines of the book external."""
    if told.get("/v1/accounts/paged").status_code != 200:
        told.send(open_account("paged"), *(deposit("paged", "1", f"d{number}") for number in range(60)))


def test_the_trial_balance_is_that_of_the_api_now_and_then(told: House, reader: Visitor) -> None:
    for stated in ({}, {"position": "8"}):
        answer = told.get("/v1/reports/trial-balance", params=stated).json()
        page = reader.page("/reports", **stated)
        assert f"True at position {answer['position']:,}" in page
        assert "Sums of all books: balanced" in page
        rows = {(row["asset"], row["book"]): row["amount"] for row in rows_of(reader, "trial-balance", **stated)}
        expected = {
            (asset, book): amount
            for asset, sums in answer["assets"].items()
            for book, amount in [*sums["books"].items(), ("total", sums["total"])]
        }
        assert rows == expected
        assert reader.file("trial-balance.json", **stated).json() == answer


@pytest.mark.parametrize("name", sorted(set(REPORTS) - {"debtors", "near", "uncovered", "sweep"}))
def test_every_report_has_a_page_and_whole_files(told: House, reader: Visitor, name: str) -> None:
    needed = {
        "book": {"book": "external", "asset": "USDT"},
        "statement": {"account_id": "alice"},
        "what-if": {"shock.BTC/USDT": "-90%", **SWEEP},
    }
    query = needed.get(name, {})
    page = html_of(reader.http.get(f"/reports/{name}", params=query).text)
    assert f'href="/console/download/{name}.csv?' in page
    assert f'href="/console/download/{name}.json?' in page
    assert "True at position" in page
    first = rows_of(reader, name, **query)[0]
    assert set(first) == set(REPORTS[name].columns)
    assert any(first.values())
    assert (
        reader.file(f"{name}.json", **query).headers["content-disposition"].startswith(f'attachment; filename="{name}-')
    )


def test_a_file_has_all_rows_of_all_pages_and_no_row_twice(told: House, reader: Visitor) -> None:
    told.send(open_account("many"), *(deposit("many", "1", f"d{number}") for number in range(1100)))
    first = reader.file("statement.json", account_id="many").json()
    assert [line["balance"] for line in first["lines"]] == [str(number + 1) for number in range(1100)]
    assert "next" not in first
    rows = rows_of(reader, "statement", account_id="many")
    assert [row["balance"] for row in rows] == [line["balance"] for line in first["lines"]]
    assert [row["position"] for row in rows] == sorted({row["position"] for row in rows}, key=int)


def test_the_pages_of_a_report_go_on_as_of_the_position_of_the_first(told: House, reader: Visitor) -> None:
    with_more_than_a_page(told)
    page = html_of(reader.http.get("/reports/statement", params={"account_id": "paged"}).text)
    position = told.get("/v1/accounts/paged").json()["position"]
    onwards = page.partition("The next 50")[0].rpartition('href="/console')[2].partition('"')[0].replace("&amp;", "&")
    assert f"position={position}" in onwards
    further = reader.page(onwards)
    assert "spot USDT 1 51" in further
    assert "spot USDT 1 60" in further
    assert "The next 50" not in further


def test_the_lines_of_a_book_go_on_backwards_and_its_file_has_them_from_the_first(told: House, reader: Visitor) -> None:
    with_more_than_a_page(told)
    query = {"book": "external", "asset": "USDT", "order": "desc"}
    lines = told.get("/v1/reports/book", params={**query, "limit": 60}).json()["lines"]
    assert len(lines) > 50
    page = html_of(reader.http.get("/reports/book", params=query).text)
    onwards = page.partition("The next 50")[0].rpartition('href="/console')[2].partition('"')[0].replace("&amp;", "&")
    assert "&before=" in onwards
    assert f" {lines[50]['position']:,} " in reader.page(onwards)
    positions = [int(row["position"]) for row in rows_of(reader, "book", **query)]
    assert positions == sorted(positions)
    assert positions[-1] == lines[0]["position"]


def test_what_other_prices_would_do_is_told_as_the_api_tells_it(told: House, reader: Visitor) -> None:
    body = {"shocks": {"BTC/USDT": "-90%"}, "sweep": {name.removeprefix("sweep."): SWEEP[name] for name in SWEEP}}
    answer = told.ask("POST", "/v1/risk/what-if", json=body).json()
    query = {"shock.BTC/USDT": "-90%", **SWEEP}
    page = reader.page("/reports/what-if", **query)
    assert "luke cross normal liquidation" in page
    assert "The worst 50" not in page
    (acted_on,) = rows_of(reader, "what-if", **query)
    assert (acted_on["account_id"], acted_on["deficit"]) == ("luke", answer["deficit"])
    assert [row["deficit"] for row in rows_of(reader, "sweep", **query)] == [
        step["deficit"] for step in answer["sweep"]["steps"]
    ]


def test_the_days_of_a_statement_count_whole() -> None:
    query = {"account_id": "a/b", "from": "2020-03-12", "to": "2020-03-13", "asset": " "}
    assert asked(REPORTS["statement"], query) == (
        "/v1/accounts/a%2Fb/statement",
        {"from": "2020-03-12T00:00:00Z", "to": "2020-03-13T23:59:59.999999Z"},
    )


def test_what_is_left_empty_is_no_shock_and_no_sweep() -> None:
    stated = {"shock.all": "", "shock.BTC/USDT": "-20%", "sweep.of": "", "sweep.from": "-50%", "limit": "50"}
    assert what_if_asked(stated) == ("/v1/risk/what-if?limit=50", {"shocks": {"BTC/USDT": "-20%"}})


def test_a_sweep_is_drawn_from_the_steps_that_the_api_answers() -> None:
    steps = [
        {"change": "-50%", "called": 4, "liquidated": 16, "deficit": "6843.99319705"},
        {"change": "+0%", "called": 2, "liquidated": 10, "deficit": "0"},
    ]
    chart = sweep_chart(steps)
    assert chart["xAxis"]["data"] == ["-50%", "+0%"]
    assert [series["data"] for series in chart["series"]] == [[16, 10], [4, 2], [6843.99319705, 0.0]]


def test_a_question_that_is_refused_is_told_in_the_words_of_the_ledger(told: House, reader: Visitor) -> None:
    detail = told.get("/v1/accounts/nobody/statement").json()["detail"].partition(" (of what")[0]
    assert detail in reader.page("/reports/statement", account_id="nobody")
    file = reader.file("statement.csv", account_id="nobody")
    assert (file.status_code, "content-disposition" in file.headers) == (404, False)
    assert detail in file.text
    assert "There is no report nonsense" in reader.page("/reports/nonsense")
    assert reader.file("nonsense.csv").status_code == 404
    assert reader.file("loans.exe").status_code == 404
    assert reader.file("loans.csv", unknown="1").status_code == 400
    assert "is no change" in reader.page("/reports/what-if", **{"shock.all": "20%"})


def test_a_report_without_what_it_is_about_says_what_to_state(reader: Visitor) -> None:
    assert "State the account to see this report" in reader.page("/reports/statement")
    assert "State the book and the asset to see this report" in reader.page("/reports/book")
    assert "State a change such as -20%" in reader.page("/reports/what-if")


def test_a_file_is_for_who_is_signed_in(told: House, reader: Visitor) -> None:
    answer = httpx.get(f"{reader.http.base_url}download/loans.csv", trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in?next=%2Fconsole%2Freports")


def test_a_page_that_takes_long_is_answered_with_what_it_has(reader: Visitor) -> None:
    soon = reader.http.get("/reports/exposure", headers={"Prefer": "wait=0"})
    assert BEING_WORKED_OUT in soon.text
    assert "Largest debtors" not in soon.text
    assert BEING_WORKED_OUT not in reader.page("/reports/exposure")
    assert "Largest debtors" in reader.page("/reports/exposure")


def test_of_a_long_history_the_last_events_are_explained_to_one_end_on_all_pages(reader: Visitor, told: House) -> None:
    told.send(open_account("busy"), *(deposit("busy", "1", f"d{number}") for number in range(204)))
    end = told.log_end()
    path, blank = "/accounts/busy/explain", {"from": " ", "to": "", "times": "effective"}
    said = reader.page(path, **blank)
    assert "What its last 200 events did" in said
    assert "Events between 200 200 funds.deposited" in said
    markup = html_of(reader.http.get(path, params=blank).text)
    (further,) = re.findall(r'href="[^"]*(/accounts/busy/explain[^"]*after=[^"]*)"', markup)
    told.send(deposit("busy", "1", "later"))
    stated = dict(parse_qsl(further.partition("?")[2].replace("&amp;", "&")))
    assert (stated["to"], "times" in stated) == (str(end), False)
    assert "Events between 200 " in reader.page(path, **stated)
    assert "Events between 5 " in reader.page(path, **{"from": stated["from"], "to": str(int(stated["from"]) + 5)})
