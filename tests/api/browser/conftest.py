"""A house that `ledger serve` runs, with a story, and a browser to look at it with."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.api.browser.chromium import NO_BROWSER, chromium, opened_browser, profile
from tests.api.browser.clerk import Clerk
from tests.api.browser.story import tell
from tests.api.command_line import served
from tests.api.house import House, open_house, wait_until
from tests.databases import fresh_database

OpenClerk = Callable[..., Clerk]

# Its comparisons are told in full, as those of tests are.
pytest.register_assert_rewrite("tests.api.browser.accounts")


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
def windows() -> Iterator[ExitStack]:
    """The windows of a test, which are closed after it."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def watched() -> Iterator[list[Clerk]]:
    """Whoever opens a window is among these: no page may complain, nor ask anything of another host."""
    opened: list[Clerk] = []
    yield opened
    assert [complaint for clerk in opened for complaint in clerk.complaints] == []


@pytest.fixture
def guest(
    shown_house: tuple[House, str], browser: Browser, windows: ExitStack, watched: list[Clerk]
) -> Callable[[], Clerk]:
    """Opens the browser of somebody who was never here."""

    def open_window() -> Clerk:
        context = profile(browser)
        windows.callback(context.close)
        return _watched(windows.enter_context(Clerk(context, shown_house[1])), watched)

    return open_window


@pytest.fixture(scope="module")
def signed_in(shown_house: tuple[House, str], browser: Browser) -> Callable[..., BrowserContext]:
    """The browser of somebody who is signed in with the key of a role; one for all tests that ask for the same."""
    house, address = shown_house
    kept: dict[tuple[object, ...], BrowserContext] = {}

    def context_of(who: str, **options: object) -> BrowserContext:
        name = (who, *sorted(options.items()))
        if name not in kept:
            kept[name] = profile(browser, **options)  # type: ignore[arg-type]
            with Clerk(kept[name], address) as clerk:
                clerk.sign_in(house.key(who))
        return kept[name]

    return context_of


@pytest.fixture
def clerk(
    shown_house: tuple[House, str],
    signed_in: Callable[..., BrowserContext],
    windows: ExitStack,
    watched: list[Clerk],
) -> OpenClerk:
    """Opens a window for somebody who is signed in with the key of a role."""

    def open_window(who: str = "operator", **options: object) -> Clerk:
        return _watched(windows.enter_context(Clerk(signed_in(who, **options), shown_house[1])), watched)

    return open_window


def _watched(clerk: Clerk, watched: list[Clerk]) -> Clerk:
    watched.append(clerk)
    return clerk
