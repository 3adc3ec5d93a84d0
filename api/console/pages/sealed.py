"""The seal of the log: its latest checkpoint, what is not sealed yet, the keys, and what is published as owed."""

import asyncio
from typing import Any

from api.console.asking import Asker, Refused
from api.console.doors import console_page
from api.console.fields import pairs_of
from api.console.frame import show
from api.console.writing import Column, Markup, amount, card, figure, joined, moment, table, tag

NO_CHECKPOINT = "There is no checkpoint yet; ledger serve makes one some seconds after an event, ledger seal at once."
NO_LIABILITIES = "Nothing is published yet; ledger liabilities does it, for the latest checkpoint."
ELSEWHERE = (
    "A checkpoint proves something to who kept it: ledger checkpoint --to FOLDER writes those that are not there yet, "
    "ledger-verify checks the log against them with keys kept elsewhere."
)

Answer = dict[str, Any]


@console_page("/seal", "Seal")
async def seal(ask: Asker) -> None:
    """How far the log is sealed, by whom, and what customers can hold against it."""
    health, checkpoint, keys, published = await asyncio.gather(
        ask.get("/health"),
        _latest(ask, "/v1/checkpoints/latest"),
        ask.get("/v1/checkpoints/keys"),
        _latest(ask, "/v1/liabilities/latest"),
    )
    cards = (_checkpoint(checkpoint, health["position"]), _keys(keys["keys"]), _liabilities(published))
    show(tag("div", joined(*cards), class_="cards"))


async def _latest(ask: Asker, path: str) -> Answer | None:
    """The latest of something; None while there is none."""
    try:
        return await ask.get(path)
    except Refused as refused:
        if refused.status == 404:
            return None
        raise


def _checkpoint(found: Answer | None, end: int) -> Markup:
    if found is None:
        return card("Latest checkpoint", tag("p", NO_CHECKPOINT, class_="empty"), wide=True)
    waiting = end - found["size"]
    figures = joined(
        figure("Sealed", f"{found['size']:,}", "events, from the first on"),
        figure("Not sealed yet", f"{waiting:,}", f"of {end:,} in the log"),
        figure("Signed", moment(found["checkpointed_at"])),
    )
    root = pairs_of([("Root", tag("code", found["root"], class_="hash"))])
    note = tag("details", joined(tag("summary", "Signed note"), tag("pre", found["note"])))
    told = joined(tag("div", figures, class_="figures-row roomy"), root, note, tag("p", ELSEWHERE, class_="hint"))
    return card("Latest checkpoint", told, wide=True)


def _keys(keys: list[Answer]) -> Markup:
    rows = [
        (one["key_id"], tag("code", one["public_key"], class_="hash"), moment(one["added_at"]))
        for one in reversed(keys)
    ]
    columns = [Column("Key"), Column("Public key"), Column("Since")]
    return card("Signing keys", table(columns, rows, "No key has signed yet."), wide=True, hint="the latest first")


def _liabilities(found: Answer | None) -> Markup:
    if found is None:
        return card("Published liabilities", tag("p", NO_LIABILITIES, class_="empty"), wide=True)
    rows = [(_said(one["kind"]), amount(one["total"], one["asset"]), f"{one['leaves']:,}") for one in found["trees"]]
    columns = [Column("Of customers"), Column("Total", True), Column("Leaves", True)]
    note = tag("details", joined(tag("summary", "Signed note"), tag("pre", found["note"])))
    hint = joined(f"at the checkpoint of {found['size']:,} events · ", moment(found["checkpointed_at"]))
    return card("Published liabilities", joined(table(columns, rows, "Nothing is owed."), note), wide=True, hint=hint)


def _said(kind: str) -> str:
    return {"balances": "what they have", "loans": "what they owe"}.get(kind, kind)
