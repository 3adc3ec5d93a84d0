"""The house that the tests of one module share."""

from collections.abc import Iterator

import pytest

from tests.api.house import House, open_house, opened_market


@pytest.fixture(scope="module")
def house(module_database: str) -> Iterator[House]:
    """A running house with a market, and nothing else in it."""
    with open_house(module_database) as house:
        opened_market(house)
        yield house
