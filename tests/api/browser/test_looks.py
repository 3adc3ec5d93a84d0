"""How every page looks: light and dark with enough contrast, on a phone without scrolling sideways, figures aligned."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.api.browser.chromium import LAPTOP, PHONE
from tests.api.browser.conftest import OpenClerk
from tests.api.browser.pages import every_page
from tests.api.house import House

DRAWN = "() => !document.body.innerText.includes('being drawn')"
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
LEAST_CONTRAST, LEAST_OF_LARGE = 4.5, 3.0
"""WCAG 2.2, success criterion 1.4.3 (AA): of text, and of large text, with what is behind it."""
FAINT_TEXTS = """([least, leastOfLarge]) => {
  const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const colour = (written, under) => {
    pen.fillStyle = `rgb(${under})`; pen.fillRect(0, 0, 1, 1);
    pen.fillStyle = written; pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (one) => one.map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, n) => sum + part * [0.2126, 0.7152, 0.0722][n], 0);
  const behind = (element) => element === null ? [255, 255, 255]
    : colour(getComputedStyle(element).backgroundColor, behind(element.parentElement));
  const found = [];
  for (const element of document.querySelectorAll('.top *, .page *, .sign-in *')) {
    const said = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join('').trim();
    if (!said || !element.checkVisibility() || element.closest('svg, option')) continue;
    const style = getComputedStyle(element), under = behind(element);
    const [one, other] = [light(colour(style.color, under)), light(under)].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize), isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const contrast = (one + 0.05) / (other + 0.05);
    if (contrast < (isLarge ? leastOfLarge : least)) found.push(`${contrast.toFixed(2)} ${said.slice(0, 40)}`);
  }
  return [...new Set(found)];
}"""
EXPONENT = re.compile(r"\d[eE][+-]?\d")


@pytest.fixture(scope="module")
def paths(shown_house: tuple[House, str]) -> dict[str, str]:
    house, address = shown_house
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {house.key('admin')}"}) as http:
        return every_page(http)


def faults(page: Page, look: str) -> list[str]:
    """What is wrong with a page as it is shown now: texts without contrast, sideways scrolling, exponents."""
    expect(page.locator("html")).to_have_attribute("data-look", look)
    found = [f"{look}: {one}" for one in page.evaluate(FAINT_TEXTS, [LEAST_CONTRAST, LEAST_OF_LARGE])]
    if page.evaluate(TOO_WIDE) > 0:
        found.append(f"{look}: the page is wider than its window")
    return found + EXPONENT.findall(" ".join(page.locator(".amount").all_inner_texts()))


@pytest.mark.long
def test_every_page_is_legible_and_fits_light_on_a_laptop_and_dark_on_a_phone(
    clerk: OpenClerk, paths: dict[str, str]
) -> None:
    """Texts have contrast, nothing scrolls sideways but tables in themselves, no figure has an exponent."""
    reader, wrong = clerk("admin", color_scheme="light"), {}
    for name, path in paths.items():
        page = reader.go(path)
        page.wait_for_function(DRAWN)
        found = faults(page, "light")
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        wrong[name] = found + faults(page, "dark")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": LAPTOP[0], "height": LAPTOP[1]})
    assert {name: found for name, found in wrong.items() if found} == {}


def test_the_look_is_the_systems_until_another_is_chosen_and_stays_chosen(clerk: OpenClerk) -> None:
    signed_in = clerk("auditor", color_scheme="dark")
    page = signed_in.go("/accounts")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.locator("#theme").click()
    expect(page.locator("html")).to_have_attribute("data-look", "light")
    assert page.evaluate(ground) != dark
    page = signed_in.go("/events")
    expect(page.locator("html")).to_have_attribute("data-look", "light")


def test_times_are_in_utc_and_say_the_readers_own_on_hover(clerk: OpenClerk) -> None:
    page = clerk("auditor", timezone_id="Asia/Tokyo").go("/events")
    time = page.locator("time.moment").first
    stated = time.get_attribute("datetime")
    assert stated is not None
    assert time.inner_text() == stated[:19].replace("T", " ")
    time.hover()
    expect(time).to_have_attribute("title", re.compile(rf"{stated}\n.*Asia/Tokyo"))


def test_the_focus_is_seen_and_the_rows_of_the_trail_are_gone_through_by_keys(clerk: OpenClerk) -> None:
    page = clerk("auditor").go("/events")
    page.locator("body").press("j")
    page.keyboard.press("j")
    focused: Iterator[str] = page.evaluate(
        "[document.activeElement.tagName, document.activeElement.closest('tr').rowIndex]"
    )
    assert list(focused) == ["A", 2]
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    position = page.evaluate("document.activeElement.innerText").replace(",", "")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/console/events/{position}$"))


def test_a_page_that_cannot_be_shown_says_what_can_be_done(clerk: OpenClerk) -> None:
    signed_in = clerk("auditor")
    for path, said in (
        ("/accounts/nobody", "account nobody was not opened"),
        ("/accounts/alice?version=999", "it has events 1 to"),
        ("/accounts/alice?position=999999", "the log ends at"),
        ("/events/999999", "999999"),
        ("/liquidations/alice.1", "alice.1"),
        ("/events?account_id=nobody", "Leave a filter out"),
        ("/reports/zzz", "choose one above"),
        ("/operations/zzz", "choose one of the list"),
    ):
        expect(signed_in.go(path).locator(".page")).to_contain_text(said)
