"""Facts are for ever: every topic has a stored sample, which still loads and is still written as the same bytes."""

from decimal import Decimal
from pathlib import Path

import pytest

from ledger.events import EVENTS, read_event, write_event
from ledger.postings import postings

FACTS = Path(__file__).parent
SAMPLES = sorted(path.name.removesuffix(".json") for path in FACTS.glob("*.json"))


def stored(topic: str) -> bytes:
    """The sample's bytes, as they would stand in the log."""
    return (FACTS / f"{topic}.json").read_bytes()


def test_every_topic_has_a_sample_and_no_sample_is_without_its_topic() -> None:
    assert sorted(EVENTS) == SAMPLES


@pytest.mark.parametrize("topic", SAMPLES)
def test_a_stored_fact_loads_and_is_written_as_the_same_bytes(topic: str) -> None:
    event = read_event(topic, stored(topic))
    assert type(event) is EVENTS[topic]
    assert write_event(event) == stored(topic)


@pytest.mark.parametrize("topic", SAMPLES)
def test_a_stored_fact_still_posts_zero_for_every_asset(topic: str) -> None:
    sums: dict[str, Decimal] = {}
    for line in postings(read_event(topic, stored(topic))):
        sums[line.asset] = sums.get(line.asset, Decimal(0)) + line.amount
    assert not any(sums.values())


@pytest.mark.parametrize("topic", SAMPLES)
def test_a_fact_written_by_an_early_version_loads_without_the_optional_fields(topic: str) -> None:
    event = read_event(topic, stored(topic))
    optional = {name for name, field in EVENTS[topic].model_fields.items() if not field.is_required()}
    early = event.model_dump_json(exclude=optional).encode()
    assert read_event(topic, early).account_id == event.account_id
