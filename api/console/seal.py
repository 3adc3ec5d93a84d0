"""Whether an event is sealed: its hash, and its way to a signed checkpoint, checked here once more."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.console.asking import Asker, Refused
from api.console.fields import pairs_of
from api.console.writing import Markup, joined, tag, text
from api.ledger_verify import Damaged, check_proof, read_keys

Answer = Mapping[str, Any]

WAITING = ("not_sealed", "unknown_checkpoint")


async def seal_of(ask: Asker, position: int, leaf_hash: str) -> Markup:
    """The seal of an event; where no checkpoint has it yet, that this is as it should be."""
    try:
        proof = await ask.get(f"/v1/events/{position}/proof")
        keys = await ask.get("/v1/checkpoints/keys")
    except Refused as refused:
        if refused.code not in WAITING:
            raise
        return joined(pairs_of([("Hash", _hash(leaf_hash))]), tag("p", _waiting(refused), class_="empty"))
    wrong = faults(proof, keys["keys"], leaf_hash)
    return joined(_verdict(wrong, proof["size"]), _proof(proof))


def faults(proof: Answer, keys: Sequence[Answer], leaf_hash: str) -> list[str]:
    """What is wrong with a proof: nothing, where it leads from the event's hash to a signed checkpoint."""
    try:
        known = {name: key for one in keys for name, key in read_keys(one["public_key"]).items()}
        wrong = check_proof(dict(proof), known, None)
    except Damaged as damaged:
        return [str(damaged)]
    return wrong if proof["leaf_hash"] == leaf_hash else [*wrong, "the event is not the one that was sealed"]


def _waiting(refused: Refused) -> str:
    return f"Not sealed yet, which takes some seconds after an event: {refused.detail}."


def _verdict(wrong: list[str], size: int) -> Markup:
    if wrong:
        return tag("p", f"The proof does not hold: {'; '.join(wrong)}.", class_="bad", role="alert")
    words = f"Sealed: its path leads to the signed checkpoint of {size:,} events. Worked out again for this page."
    return tag("p", words, class_="good")


def _proof(proof: Answer) -> Markup:
    steps = joined(*(tag("li", _hash(step)) for step in proof["path"]))
    path = tag("details", joined(tag("summary", f"Path of {len(proof['path'])} hashes"), tag("ol", steps)))
    note = tag("details", joined(tag("summary", "Signed note"), tag("pre", proof["note"])))
    trust = "To trust neither this page nor the database, give both to ledger-verify with a key kept elsewhere."
    return joined(
        pairs_of([("Hash", _hash(proof["leaf_hash"])), ("Root", _hash(proof["root"]))]),
        path,
        note,
        tag("p", trust, class_="hint"),
    )


def _hash(value: str) -> Markup:
    return tag("code", text(value), class_="hash")
