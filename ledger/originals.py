"""Events that are to be reversed, each looked up together with all events of the decision that recorded it."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter

from ledger.arrays import Integers, Texts
from ledger.events import AnyEvent, read_event
from ledger.wire import Call, Row, Statement

# An account id, and the version of one of its events.
Place = tuple[str, int]

# The key of a decision names its first and its last event. A sending's is kept with its sender alone.
FIND_DECISIONS = Statement(
    "find_decisions",
    """
select asked.account_id, asked.version, found.topic, found.state
from unnest($1, $2) as asked (account_id, version)
join events as original on originator_id = asked.account_id and originator_version = asked.version
cross join lateral (select convert_from(original.state, 'UTF8')::json as body) as content
left join lateral (
    select first_position, last_position from idempotency_keys
    where account_id = any(array[asked.account_id, body ->> 'from_account_id']) and key = body ->> 'idempotency_key'
      and original.notification_id between first_position and last_position
    limit 1
) as decision on true
cross join lateral generate_series(
    coalesce(first_position, original.notification_id), coalesce(last_position, original.notification_id)
) as position
join events as found on found.notification_id = position
order by asked.account_id, asked.version, position
""",
    (Texts, Integers),
)


def asked_decisions(places: Sequence[Place]) -> Call:
    """The question which decisions recorded these events; `found_decisions` reads the answer."""
    account_ids, versions = zip(*places, strict=True)
    return Call(FIND_DECISIONS, [Texts.of(account_ids), Integers.of(versions)])


def found_decisions(rows: Iterable[Row]) -> dict[Place, list[AnyEvent]]:
    """The answer to `asked_decisions`: of each event that is there, all events of its decision, in order."""
    return {
        place: [read_event(topic, state) for _, _, topic, state in of_place]
        for place, of_place in groupby(rows, key=itemgetter(0, 1))
    }
