"""Facts are for ever: every topic has stored samples, which still load and are still written as the same bytes."""

from decimal import Decimal
from pathlib import Path

import pytest

from ledger.events import EVENTS, read_event, write_event
from ledger.postings import postings

FACTS = Path(__file__).parent
SAMPLES = sorted(path.name.removesuffix(".json") for path in FACTS.glob("*.json"))


def stored(sample: str) -> bytes:
    """The sample's bytes, as they would stand in the log."""
    return (FACTS / f"{sample}.json").read_bytes()


def topic_of(sample: str) -> str:
    """The topic of a sample: its name, of a later one without what came to it, as in prices.marked.confirmed."""
    return ".".join(sample.split(".")[:2])


def test_every_topic_has_a_sample_and_no_sample_is_without_its_topic() -> None:
    assert {topic_of(sample) for sample in SAMPLES} == set(EVENTS)
    assert set(EVENTS) <= set(SAMPLES)


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_stored_fact_loads_and_is_written_as_the_same_bytes(sample: str) -> None:
    event = read_event(topic_of(sample), stored(sample))
    assert type(event) is EVENTS[topic_of(sample)]
    assert write_event(event) == stored(sample)


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_stored_fact_still_posts_zero_for_every_asset(sample: str) -> None:
    sums: dict[str, Decimal] = {}
    for line in postings(read_event(topic_of(sample), stored(sample))):
        sums[line.asset] = sums.get(line.asset, Decimal(0)) + line.amount
    assert not any(sums.values())


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_fact_written_by_an_early_version_loads_without_the_optional_fields(sample: str) -> None:
    event = read_event(topic_of(sample), stored(sample))
    optional = {name for name, field in EVENTS[topic_of(sample)].model_fields.items() if not field.is_required()}
    early = event.model_dump_json(exclude=optional).encode()
    assert read_event(topic_of(sample), early).account_id == event.account_id
