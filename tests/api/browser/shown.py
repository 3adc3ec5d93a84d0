"""What a page shows, read out of its text: the cards, their figures and their tables."""

from typing import Any

from playwright.sync_api import Page, expect

from api.console.meanwhile import BEING_WORKED_OUT

CARDS = """() => [...document.querySelectorAll('section.card')].map((card) => ({
  title: card.querySelector('h2')?.innerText ?? '',
  text: card.innerText,
  figures: Object.fromEntries([...card.querySelectorAll('.figure')].map((one) => [
    one.querySelector('.name').innerText, one.querySelector('.value').innerText])),
  gauge: card.querySelector('svg.gauge')?.getAttribute('aria-label') ?? null,
  tables: [...card.querySelectorAll('table')].map((table) => [...table.querySelectorAll('tbody tr')].map((row) =>
    [...row.cells].map((cell) => [cell.dataset.title, cell.innerText]))),
}))"""

Row = dict[str, str]


class Card:
    """One section of a page: its figures by name, and its tables as rows of cells by column."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.title: str = found["title"]
        self.text: str = found["text"]
        self.gauge: str | None = found["gauge"]
        self.figures = {name: written(value) for name, value in found["figures"].items()}
        self.tables: list[list[Row]] = [
            [{column: written(text) for column, text in row} for row in table] for table in found["tables"]
        ]


def cards(page: Page) -> dict[str, Card]:
    """The cards of a page by their titles, once all of them are worked out."""
    expect(page.get_by_text(BEING_WORKED_OUT)).to_have_count(0)
    return {card.title: card for card in map(Card, page.evaluate(CARDS))}


def written(text: str) -> str:
    """A figure as the API writes it: without groups, and with the sign that keyboards have."""
    return text.replace(",", "").replace("−", "-").strip()
