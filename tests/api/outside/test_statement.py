"""Outside statements as CSV: whatever a file has in it, its lines are found with their numbers, or refused."""

import io
import tracemalloc
from typing import Any

import pytest

from api.outside.statement import Complaint, NoStatement, OutsideLine, read_statement
from tests.api.outside.statements import HEADER, layout

LINE = "2026-03-02T10:00:00Z,alice,USDT,5,R1"


def read(content: str | bytes, **form: Any) -> list[OutsideLine | Complaint]:
    file = io.BytesIO(content if isinstance(content, bytes) else content.encode())
    return list(read_statement(file, layout(**form)))


def lines(content: str | bytes, **form: Any) -> list[OutsideLine]:
    found = read(content, **form)
    assert not [one for one in found if isinstance(one, Complaint)]
    return [one for one in found if isinstance(one, OutsideLine)]


def test_a_line_has_its_number_its_text_and_what_it_says() -> None:
    (line,) = lines(f"{HEADER}\n{LINE}\n")
    assert (line.number, line.text, line.account_id, line.asset, str(line.amount), line.reference) == (
        2, LINE, "alice", "USDT", "5", "R1",
    )  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        f"\ufeff{HEADER}\r\n{LINE}\r\n",
        f"{HEADER}\n\n  \n,,,,\n{LINE}",
        f"{HEADER}\n{HEADER}\n{LINE}\n{HEADER}\n",
        f"{HEADER.upper()}\n{LINE}\n",
        f"\n{HEADER}\n{LINE}\n\n",
        f"{HEADER}\n{LINE.replace(',', ' , ')}\n",
    ],
)
def test_marks_ends_empty_lines_and_repeated_headers_count_for_nothing(content: str) -> None:
    assert [(str(line.amount), line.reference) for line in lines(content)] == [("5", "R1")]


def test_a_quoted_line_break_is_of_its_line_which_is_kept_as_it_was() -> None:
    quoted = '2026-03-02T10:00:00Z,alice,USDT,5,"rent\nMarch, ""late"""'
    first, second = lines(f"{HEADER}\n{quoted}\n{LINE}\n")
    assert (first.number, first.text, first.reference) == (2, quoted, 'rent March, "late"')
    assert second.number == 4


def test_columns_are_mapped_and_constants_stand_in_for_what_the_file_lacks() -> None:
    content = "Datum;Betrag;Text;Art\n02.03.2026;1.250,50;Miete;Soll\n"
    mapped = {"time": "datum", "amount": "Betrag", "reference": "Text", "direction": "Art"}
    form = {"columns": mapped, "constants": {"account": "alice", "asset": "EUR"}, "delimiter": ";"}
    (line,) = lines(content, point=",", thousands=".", written="%d.%m.%Y", outgoing=frozenset({"soll"}), **form)
    assert (line.account_id, line.asset, str(line.amount), line.is_day) == ("alice", "EUR", "-1250.50", True)


def test_another_encoding_is_read_when_it_is_stated() -> None:
    content = f"{HEADER}\n{LINE.replace('R1', 'Gebühr')}\n".encode("cp1252")
    assert lines(content, encoding="cp1252")[0].reference == "Gebühr"
    with pytest.raises(NoStatement, match="line 2: byte b'\\\\xfc' is no utf-8; state the --encoding"):
        read(content)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (LINE.replace("5", "1e400"), "amount '1e400' is none"),
        (LINE.replace("alice", ""), "account '' is none"),
        (LINE.replace("USDT", "usdt"), "asset 'usdt' is none"),
        (LINE.replace("2026-03-02T", ""), "time '10:00:00Z' is none"),
        (f"{LINE},more", "it has 6 cells and the header 5"),
        ("just text", "it has 1 cells and the header 5"),
        (LINE.replace("R1", "R\0"), "has a character zero in it"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_with_its_number_and_the_others_are_read(line: str, why: str) -> None:
    first, bad, last = read(f"{HEADER}\n{LINE}\n{line}\n{LINE}\n")
    assert isinstance(bad, Complaint)
    assert bad.number == 3
    assert why in bad.why
    assert isinstance(first, OutsideLine)
    assert isinstance(last, OutsideLine)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "has no header"),
        ("\n\n", "has no header"),
        (LINE, "there is no column 'time' for the time"),
        ("time,time,account,asset,amount\n", "names 'time' 2 times"),
        (f'{HEADER}\n2026,"open\n{LINE}\n' * 2, "line 2: it is no CSV"),
        (f'{HEADER}\n"' + "x\n" * 100_000, "line 2: it is longer than 100,000 bytes"),
        (f"{HEADER}\n" + "x" * 200_000, "line 2: it is longer than 100,000 bytes"),
        ("\x7fELF\x02\x00\xff\xfe", "no utf-8"),
    ],
)
def test_a_file_that_is_no_statement_is_refused_as_a_whole(content: str, why: str) -> None:
    with pytest.raises(NoStatement, match=why):
        read(content.encode("latin-1"))


def test_a_constant_beside_a_column_is_refused() -> None:
    with pytest.raises(NoStatement, match="--account bob is left out"):
        read(f"{HEADER}\n", constants={"account": "bob"})


def test_a_long_file_is_read_in_the_memory_of_a_few_lines() -> None:
    file = io.BytesIO(f"{HEADER}\n".encode() + f"{LINE}\n".encode() * 50_000)
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_statement(file, layout())) == 50_000
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
