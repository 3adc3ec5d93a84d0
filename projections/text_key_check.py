"""Checks that the keys of texts are those that the log sealed under, and none of what it says is erased."""

from collections.abc import Iterator, Sequence

from ledger.events import TextsErased
from ledger.log import RecordedEvent
from ledger.postgres import Connection
from ledger.private_texts import is_sealed, key_id_of, texts_of

SHOWN_DIFFERENCES = 20

_TABLE = """
create temporary table sealed_texts (account_id text, key_id text, generation integer, position bigint)
"""
_COPY = "copy pg_temp.sealed_texts (account_id, key_id, generation, position) from stdin"
# A key that was destroyed by an erasure which was recorded after the events that were read is as it must be.
_DIFFERENCES = """
with used as (
    select account_id, key_id, generation, min(position) as first, max(position) as last
    from pg_temp.sealed_texts group by account_id, key_id, generation
), erased as (
    select * from unnest(%(accounts)s::text[], %(erasures)s::integer[]) as erased (account_id, erasures)
), compared as (
    select used.*, used.generation < coalesce(erasures, 0) as is_erased,
           text_keys.id is not null as is_there, destroyed_at is not null as is_destroyed
    from used left join erased using (account_id)
    left join public.text_keys on (text_keys.id, text_keys.account_id) = (used.key_id, used.account_id)
)
select count(*) over (), account_id, key_id, first, is_erased, is_there
from compared where case
    when is_erased then is_there and not is_destroyed
    when is_there then is_destroyed and not exists (
        select from public.events
        where originator_id = compared.account_id and topic = %(erased)s and notification_id > %(until)s)
    else last > (select coalesce(max(last_position), 0) from public.restorations)
end
order by first, account_id limit %(shown)s
"""


class TextKeyCheck:
    """Gathers in a temporary table of this session which keys texts are sealed under, and compares it with those kept.

    A key counts where a text of an event is sealed under it. Texts that were restored from an archive need none.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._erasures: dict[str, int] = {}
        self._position = 0
        connection.execute("drop table if exists pg_temp.sealed_texts")
        connection.execute(_TABLE)

    def take(self, batch: Sequence[RecordedEvent]) -> None:
        """Gathers the keys of the next events' texts."""
        with self._connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for row in self._sealed(batch):
                copy.write_row(row)
        self._position = batch[-1].position

    def differences(self) -> list[str]:
        """What is wrong with the keys of the texts up to the event read last, by account."""
        asked = {
            "accounts": list(self._erasures),
            "erasures": list(self._erasures.values()),
            "erased": TextsErased.TOPIC,
            "until": self._position,
            "shown": SHOWN_DIFFERENCES,
        }
        found = self._connection.execute(_DIFFERENCES, asked).fetchall()
        told = [f"keys of texts: {found[0][0]} differ from what the log says"] if found else []
        return told + [f"  {_in_words(*row[1:])}" for row in found]

    def _sealed(self, batch: Sequence[RecordedEvent]) -> Iterator[tuple[str, str, int, int]]:
        for position, _, event in batch:
            account_id = event.account_id
            if isinstance(event, TextsErased):
                self._erasures[account_id] = event.erasure
            for text in texts_of(event).values():
                if is_sealed(text):
                    # An event that was tampered with may hold what no text in PostgreSQL can.
                    key_id = key_id_of(text).replace("\0", "?")
                    yield account_id, key_id, self._erasures.get(account_id, 0), position


def _in_words(account_id: str, key_id: str, first: int, is_erased: bool, is_there: bool) -> str:
    sealed = f"key {key_id} of account {account_id}, which sealed texts from event {first} on,"
    if is_erased:
        return f"{sealed} is still there, though these texts were erased"
    if is_there:
        return f"{sealed} was destroyed, though no event says so"
    return f"{sealed} is missing, though no event erased them"
