"""A house that `ledger serve` runs, with a story, and a browser to look at it with."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, expect

from tests.api.browser.chromium import NO_BROWSER, chromium, opened_browser
from tests.api.browser.clerk import Clerk
from tests.api.browser.story import tell
from tests.api.command_line import served
from tests.api.house import House, open_house, wait_until
from tests.databases import fresh_database

PATIENCE_MILLISECONDS = 15_000
OpenClerk = Callable[..., Clerk]

# Its comparisons are told in full, as those of tests are.
pytest.register_assert_rewrite("tests.api.browser.accounts")
expect.set_options(timeout=PATIENCE_MILLISECONDS)


@pytest.fixture(scope="session")
def shown_house(server_url: str, template_database: str) -> Iterator[tuple[House, str]]:
    """A house, and where its console is: one `ledger serve` for all tests with a browser; the house has other doors."""
    if chromium() is None:
        pytest.skip(NO_BROWSER)
    with (
        fresh_database(server_url, template_database) as url,
        served(url) as address,
        open_house(url, projecting=False) as house,
    ):
        wait_until(lambda: house.http.get("/health").status_code == 200)
        tell(house)
        yield house, address


@pytest.fixture
def house(shown_house: tuple[House, str]) -> House:
    return shown_house[0]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a module, and no longer: while it is driven, no other test could run an event loop."""
    if chromium() is None:
        pytest.skip(NO_BROWSER)
    with opened_browser() as browser:
        yield browser


@pytest.fixture
def guest(shown_house: tuple[House, str], browser: Browser) -> Iterator[OpenClerk]:
    """Opens a window for somebody who is not signed in. No page may complain, nor ask anything of another host."""
    with ExitStack() as stack:
        opened: list[Clerk] = []

        def open_window(**options: object) -> Clerk:
            clerk = stack.enter_context(Clerk(browser, shown_house[1], **options))  # type: ignore[arg-type]
            clerk.page.set_default_timeout(PATIENCE_MILLISECONDS)
            opened.append(clerk)
            return clerk

        yield open_window
        assert [complaint for clerk in opened for complaint in clerk.complaints] == []


@pytest.fixture
def clerk(house: House, guest: OpenClerk) -> OpenClerk:
    """Opens a window for somebody who is signed in with the key of a role."""

    def signed_in(who: str = "operator", **options: object) -> Clerk:
        return guest(**options).sign_in(house.key(who))

    return signed_in
