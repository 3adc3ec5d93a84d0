"""The three forms say the same, each as its readers need it: JSON, CSV for spreadsheets, a page to print."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from api.statement.page import NAMES
from ledger.events import EVENTS, read_event
from ledger.postings import postings
from projections.questions.statement_range import Asked
from projections.runner import catch_up
from tests.api.statements.telling import FORMULA, GERMAN, LONG_ID, SCRIPT, posted, proposed
from tests.api.statements.test_statement_bytes import bytes_of
from tests.ledger.facts.test_facts import SAMPLES, stored, topic_of
from tests.ledger.happenings import opened
from tests.projections.stories import exchange_opens
from tests.projections.story import Story

VOID = {"meta", "br"}


@pytest.fixture(scope="module")
def as_json(story: Story) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bytes_of(story.url, Asked("alice"), "json"))
    return found


@pytest.fixture(scope="module")
def as_csv(story: Story) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(bytes_of(story.url, Asked("alice"), "csv"), newline="")))


@pytest.fixture(scope="module")
def page(story: Story) -> str:
    return bytes_of(story.url, Asked("alice"), "html")


def lines_of(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [line for wallet in told["wallets"] for line in wallet["lines"]]


def test_a_line_says_what_it_was_corrected_by_and_why(as_json: dict[str, Any]) -> None:
    lines = lines_of(as_json)
    by_topic = {line["topic"]: line for line in lines}
    wrong = next(line for line in lines if line["subject"] == "deposit:d3")
    reversal, adjustment = by_topic["event.reversed"], by_topic["adjustment.posted"]
    assert (wrong["reversed_by"], wrong["reference"]) == (reversal["position"], SCRIPT)
    assert (reversal["reverses"], reversal["reason"]) == (wrong["position"], SCRIPT)
    assert (adjustment["subject"], adjustment["reason_code"]) == ("adjustment:a1", "fee_correction")
    assert adjustment["reason"] == GERMAN
    assert len({line["id"] for line in lines}) == len(lines)


def test_an_adjustment_has_the_reference_that_it_was_proposed_with(database: str) -> None:
    story = Story(database)
    exchange_opens(story)
    story.of("alice", opened(), proposed("a1", "2.5", GERMAN, FORMULA))
    story.of("alice", posted("a1", "2.5", 2))
    story.write()
    catch_up(database)
    [line] = lines_of(json.loads(bytes_of(database, Asked("alice"), "json")))
    assert (line["topic"], line["reference"], line["reason"]) == ("adjustment.posted", FORMULA, GERMAN)


def test_balances_are_told_by_wallet_as_the_domain_has_them(as_json: dict[str, Any]) -> None:
    wallets = {wallet["wallet"]: wallet for wallet in as_json["wallets"]}
    assert list(wallets) == ["spot", "cross", "isolated:BTC/USDT"]
    closing = {one["asset"]: one["closing"] for one in wallets["cross"]["assets"]}
    assert closing["USDT"] == {
        "free": "500",
        "locked": "0",
        "borrowed": "1500.00833334",
        "interest": "0",
        "net": "-1000.00833334",
    }
    assert as_json["range"]["to"] == {"time": None, "position": 45, "recorded_at": "2026-01-16T00:00:45Z"}


def test_csv_says_what_json_says(as_json: dict[str, Any], as_csv: list[dict[str, str]]) -> None:
    lines = [row for row in as_csv if row["kind"] == "line"]
    expected = lines_of(as_json)
    assert len(lines) == len(expected)
    for row, line in zip(lines, expected, strict=True):
        told = {name: "" if value is None else str(value) for name, value in line.items()}
        assert {name: row[name] for name in told} == {**told, "reference": row["reference"], "reason": row["reason"]}
    for end in ("opening", "closing"):
        rows = [(row["wallet"], row["asset"], row["free"], row["net"]) for row in as_csv if row["kind"] == end]
        assert rows == [
            (wallet["wallet"], one["asset"], one[end]["free"], one[end]["net"])
            for wallet in as_json["wallets"]
            for one in wallet["assets"]
        ]
    assert {row["account_id"] for row in as_csv} == {"alice"}


def test_a_text_is_no_formula_in_csv_and_stays_what_it_is_in_json(
    as_json: dict[str, Any], as_csv: list[dict[str, str]]
) -> None:
    assert FORMULA in [line["reference"] for line in lines_of(as_json)]
    assert f"'{FORMULA}" in [row["reference"] for row in as_csv]
    assert not any(row[name].startswith(("=", "+", "@", "\t")) for row in as_csv for name in row)


def test_csv_is_that_of_the_standard(story: Story) -> None:
    text = bytes_of(story.url, Asked("alice"), "csv")
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert len({len(row) for row in rows}) == 1
    assert text.endswith("\r\n")
    assert [row[0] for row in rows[:4]] == ["kind", "from", "to", "known"]


class Reading(HTMLParser):
    """What a page has: its tags, its texts, and whether each is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, text: str) -> None:
        self.texts.append(text)


def test_a_page_is_whole_loads_nothing_and_runs_nothing(page: str) -> None:
    reading = Reading()
    reading.feed(page)
    reading.close()
    assert reading.open == []
    names = {tag for tag, _ in reading.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "form", "a", "base"}
    given = {name for _, attributes in reading.tags for name in attributes}
    assert given <= {"lang", "charset", "http-equiv", "content", "name", "class", "style", "scope"}
    style = re.search(r"<style>(.*)</style>", page)
    assert style is not None
    assert not re.search(r"url\(|@import|http", style[1])
    policies = [attributes["content"] for _, attributes in reading.tags if "http-equiv" in attributes]
    assert policies[0] is not None
    assert policies[0].startswith("default-src 'none'")


def test_a_page_shows_texts_as_they_are_and_turns_nothing_around(page: str) -> None:
    reading = Reading()
    reading.feed(page)
    assert "<script>alert('no')</script> & \ufffdgnikool drawkcab" in reading.texts
    assert "\u202e" not in page
    assert GERMAN.replace("\n", " ") in reading.texts
    assert f"deposit:{LONG_ID}" in reading.texts


def test_a_page_has_all_lines_with_their_decimals_in_a_width_of_their_own(page: str, as_json: dict[str, Any]) -> None:
    lines = lines_of(as_json)
    assert page.count('<td class="id">') == len(lines)
    for line in lines:
        whole, point, decimals = line["amount"].partition(".")
        assert f'<td class="n">{whole}<span class="d">{point}{decimals}</span></td>' in page
    assert page.count("<thead>") == 2 * len(as_json["wallets"])
    assert "E-" not in page


def test_every_event_that_posts_to_an_account_has_a_name_for_readers() -> None:
    posting = {
        topic_of(sample)
        for sample in SAMPLES
        if any(line.book.account_id is not None for line in postings(read_event(topic_of(sample), stored(sample))))
    }
    assert posting <= NAMES.keys() <= EVENTS.keys()
    assert len(posting) > 15
