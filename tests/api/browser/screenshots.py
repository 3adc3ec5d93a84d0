"""Pictures of every page of the console, light and dark, on a laptop and on a phone: `make screenshots`."""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Browser

from api.command_line.screen import note, say, show_progress
from tests.api.browser.chromium import LAPTOP, NO_BROWSER, PHONE, chromium, opened_browser, profile
from tests.api.browser.clerk import Clerk
from tests.api.browser.pages import every_page
from tests.api.command_line import LEDGER

SIZES = {"laptop": LAPTOP, "phone": PHONE}
LOOKS = ("light", "dark")
DRAWN = "() => !document.body.innerText.includes('being drawn')"
KEY_WORDS = "shown only now: "
LISTENING = "listening on "


def main() -> int:
    """Takes the pictures; ends with 1 where there is no browser, or a page complained."""
    asked = _arguments()
    if chromium() is None:
        note(f"no pictures were taken: {NO_BROWSER}")
        return 1
    folder: Path = asked.folder
    folder.mkdir(parents=True, exist_ok=True)
    with _house(asked) as (address, key), opened_browser() as browser:
        complaints = _take_all(browser, address, key, folder, asked.only)
    for complaint in complaints:
        note(complaint)
    say(f"{len(list(folder.glob('*.png')))} pictures are in {folder}")
    return 1 if complaints else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures are written to; made if need be")
    parser.add_argument("--address", help="a running house, such as http://127.0.0.1:8000; without it a demo is played")
    parser.add_argument("--only", default="", help="pages whose name has this in it")
    parser.epilog = "With --address, LEDGER_CONSOLE_KEY has a key of that house: of an admin all pages can be seen."
    asked = parser.parse_args()
    if asked.address and not os.environ.get("LEDGER_CONSOLE_KEY"):
        parser.error("--address was stated without a key to sign in with: set LEDGER_CONSOLE_KEY to an admin's")
    return asked


@contextmanager
def _house(asked: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Address and key of the house that is shown: the one that was named, else a demo in a home of its own."""
    if asked.address:
        yield asked.address.rstrip("/"), os.environ["LEDGER_CONSOLE_KEY"]
        return
    with tempfile.TemporaryDirectory(prefix="ledger-screenshots-") as home:
        os.chmod(home, 0o711)
        environment = {**os.environ, "LEDGER_HOME": home}
        with subprocess.Popen(
            [LEDGER, "demo", "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True
        ) as demo:
            try:
                yield _told(demo)
            finally:
                demo.terminate()


def _told(demo: "subprocess.Popen[str]") -> tuple[str, str]:
    """What the demo prints at its end: where it listens, and a key."""
    address = ""
    assert demo.stdout is not None
    for line in demo.stdout:
        if line.startswith(LISTENING):
            address = line.removeprefix(LISTENING).split()[0]
        if KEY_WORDS in line:
            return address, line.partition(KEY_WORDS)[2].strip()
    raise SystemExit("the demo ended before it served anything; `make demo` says why")


def _take_all(browser: Browser, address: str, key: str, folder: Path, only: str) -> list[str]:
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=60) as http:
        pages = {name: path for name, path in every_page(http).items() if only in name}
    complaints: list[str] = []
    with show_progress(counts="pictures") as progress:
        task = progress.add_task("taking", total=len(pages) * len(SIZES) * len(LOOKS), said="")
        for size in SIZES:
            for look in LOOKS:
                with Clerk(profile(browser, SIZES[size], color_scheme=look), address) as clerk:
                    clerk.sign_in(key)
                    for name, path in pages.items():
                        _take(clerk, path, folder / f"{name}-{size}-{look}.png")
                        progress.update(task, advance=1, said=name)
                    complaints += [f"{size}, {look}: {one}" for one in clerk.complaints]
    return complaints


def _take(clerk: Clerk, path: str, file: Path) -> None:
    page = clerk.go(path)
    page.wait_for_function(DRAWN)
    page.screenshot(path=file, full_page=True, animations="disabled")


if __name__ == "__main__":
    sys.exit(main())
