"""What every event carries, and the parts that events share."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict

from ledger.money import Exact
from ledger.private_texts import PrivateText


def _in_utc(at: datetime) -> datetime:
    return at if at.tzinfo is None else at.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A time, which is written in UTC.

Pydantic gives each that it reads a zone of its own, and to compare two of different zones takes ten times as long as of
the same: what is read of the log is compared, and looked up, many times.
"""


class Fact(BaseModel):
    """A part of an event; never changed once made."""

    model_config = ConfigDict(frozen=True, extra="forbid")


F = TypeVar("F", bound=Fact)
_Blank = tuple[dict[str, Any], set[str]]
_BLANKS: dict[type[Fact], _Blank] = {}
# To fill a fact slot by slot takes half as long as to have pydantic's class do it.
_put_values, _put_names, _put_extra, _put_private = (
    BaseModel.__dict__[slot].__set__
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


def made(kind: type[F], fields: dict[str, Any]) -> F:
    """A fact made of values that have their types already: what a validator makes of them, without asking it.

    Decisions make their events so, because asking takes three times as long as making. Fields that are left out are at
    their defaults; tests read every event that they decide back from its bytes and compare values and types. A field
    that is needed and left out cannot be written.
    """
    blank, names = _BLANKS.get(kind) or _blank_of(kind)
    values = blank | fields
    if len(values) != len(blank):
        raise TypeError(f"{kind.__name__} has no fields {', '.join(sorted(values.keys() - names))}")
    return _filled(kind, values, names)


def _filled(kind: type[F], values: dict[str, Any], names: set[str]) -> F:
    fact = object.__new__(kind)
    _put_values(fact, values)
    _put_names(fact, names)
    _put_extra(fact, None)
    _put_private(fact, None)
    return fact


def _blank_of(kind: type[Fact]) -> _Blank:
    """The fields of a fact in their order, which is the order they are written in, at their defaults."""
    fields = kind.model_fields
    values = {name: ... if field.is_required() else field.default for name, field in fields.items()}
    _BLANKS[kind] = values, set(fields)
    return _BLANKS[kind]


def made_event(kind: type[F], envelope: Mapping[str, Any], fields: Mapping[str, Any]) -> F:
    """As `made`, of the fields that all events of a decision share and those of this one."""
    blank, names = _BLANKS.get(kind) or _blank_of(kind)
    values = {**blank, **envelope, **fields}
    if len(values) != len(blank):
        raise TypeError(f"{kind.__name__} has no fields {', '.join(sorted(values.keys() - names))}")
    return _filled(kind, values, names)


class MarkPrice(Fact):
    """The price of a pair, its business time, and the version of the @prices stream that marked it."""

    price: Exact
    effective_at: datetime
    version: int


class Assessment(Fact):
    """What a decision saw and left: prices used, levels (8 decimals, down; None without debt) and the tier (from 1).

    Levels are the collateral margin level in the cross pool, which states its margin level beside, and the margin
    level in a bucket.
    """

    prices: dict[str, MarkPrice]
    level_before: str | None = None
    level_after: str | None = None
    margin_level_before: str | None = None
    margin_level_after: str | None = None
    tier: int | None = None


class Event(Fact):
    """What every event carries; its log position and recorded_at stand beside its bytes, not inside."""

    TOPIC: ClassVar[str]

    account_id: str
    version: int
    effective_at: Moment
    actor: str
    correlation_id: str
    idempotency_key: str | None = None
    reason: PrivateText | None = None

    @property
    def originator_id(self) -> str:
        """The stream of the event, as the event-sourcing library calls it."""
        return self.account_id

    @property
    def originator_version(self) -> int:
        """The version of the event, as the event-sourcing library calls it."""
        return self.version
