"""A visitor of the console without a browser: pages as text, forms and files as a browser asks for them.

The console is that of `ledger api`, in a process of its own, for a process has one console in its life.
"""

import html
import json
import re
from typing import Any

import httpx


class Visitor:
    """Somebody who is signed in with a key."""

    def __init__(self, address: str, key: str) -> None:
        self.http = httpx.Client(base_url=f"{address}/console", timeout=60, trust_env=False)
        # Without a socket: whatever takes long is waited for.
        self.http.headers["Prefer"] = "wait=20"
        answer = self.http.post("/sign-in", data={"key": key, "next": "/console/reports"})
        assert answer.headers["location"] == "/console/reports", answer.headers

    def page(self, path: str, **query: Any) -> str:
        """What a page says, as one line of text without markup."""
        answer = self.http.get(path, params=query or None)
        assert answer.status_code == 200, answer.text
        return text_of(html_of(answer.text))

    def send(self, path: str, **form: Any) -> httpx.Response:
        """A form sent by its button; where it leads to is not followed."""
        return self.http.post(path, data=form)

    def file(self, name: str, **query: Any) -> httpx.Response:
        return self.http.get(f"/download/{name}", params=query or None)


def text_of(markup: str) -> str:
    """What HTML says, as one line of text without markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def html_of(page: str) -> str:
    """The HTML that a page is made of, which it carries as JSON in a script."""
    elements = re.search(r"parseElements\(String.raw`(.*?)`\)", page, re.DOTALL)
    assert elements is not None, page[:2000]
    written = elements[1]
    for escaped, character in (("&lt;", "<"), ("&gt;", ">"), ("&#36;", "$"), ("&#96;", "`"), ("&amp;", "&")):
        written = written.replace(escaped, character)
    return " ".join(one.get("props", {}).get("innerHTML", "") for one in json.loads(written).values())
