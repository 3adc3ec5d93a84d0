"""Who may do what: one table of commands and one of questions, by role."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from api.problems import Forbidden
from ledger.commands import AccountCommand, AccrueInterest, Command
from ledger.events import TradeBooked


class Role(StrEnum):
    CUSTOMER = "customer"
    SERVICE = "service"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Resource(StrEnum):
    """What may be read (and, of keys, changed)."""

    ACCOUNT = "an account"
    ACCOUNTS = "the list of accounts"
    EVENTS = "the events of all accounts"
    WITHDRAWALS = "withdrawals"
    HOLDS = "holds"
    LOANS = "loans"
    LIQUIDATIONS = "liquidations"
    ADJUSTMENTS = "adjustments"
    MARKET = "the market"
    REPORTS = "reports"
    CHECKPOINTS = "checkpoints"
    READS = "who looked at customers' data"
    READS_OF_ACCOUNT = "who looked at an account"
    LIABILITIES = "published liabilities"
    KEYS = "keys"


CUSTOMER, SERVICE, OPERATOR, AUDITOR = Role.CUSTOMER, Role.SERVICE, Role.OPERATOR, Role.AUDITOR

# An admin may do whatever the others may, and is not written into the rows.
MAY_SEND: dict[str, frozenset[Role]] = {
    "open_account": frozenset({SERVICE, OPERATOR}),
    "freeze_account": frozenset({OPERATOR}),
    "unfreeze_account": frozenset({OPERATOR}),
    "erase_texts": frozenset({OPERATOR}),
    "close_account": frozenset({OPERATOR}),
    "deposit": frozenset({SERVICE}),
    "request_withdrawal": frozenset({CUSTOMER}),
    "settle_withdrawal": frozenset({SERVICE}),
    "cancel_withdrawal": frozenset({SERVICE, OPERATOR}),
    "transfer": frozenset({CUSTOMER}),
    "add_margin": frozenset({CUSTOMER}),
    "remove_margin": frozenset({CUSTOMER}),
    "send": frozenset({CUSTOMER}),
    "set_margin_mode": frozenset({CUSTOMER}),
    "set_leverage": frozenset({CUSTOMER}),
    "borrow": frozenset({CUSTOMER}),
    "repay": frozenset({CUSTOMER}),
    "accrue_interest": frozenset({SERVICE, OPERATOR}),
    "place_hold": frozenset({SERVICE}),
    "release_hold": frozenset({SERVICE, OPERATOR}),
    "book_fill": frozenset({SERVICE}),
    "book_trade": frozenset({SERVICE}),
    "examine": frozenset({SERVICE, OPERATOR}),
    "liquidate": frozenset({SERVICE, OPERATOR}),
    "complete_liquidation": frozenset({SERVICE}),
    "reverse_event": frozenset({OPERATOR}),
    "propose_adjustment": frozenset({OPERATOR}),
    "approve_adjustment": frozenset({OPERATOR}),
    "reject_adjustment": frozenset({OPERATOR}),
    "list_asset": frozenset({OPERATOR}),
    "set_asset_limits": frozenset({OPERATOR}),
    "list_pair": frozenset({OPERATOR}),
    "set_pair_status": frozenset({OPERATOR}),
    "set_risk_limits": frozenset({OPERATOR}),
    "set_interest_rate": frozenset({OPERATOR}),
    "mark_prices": frozenset({SERVICE}),
    "confirm_price": frozenset({OPERATOR}),
    "reject_price": frozenset({OPERATOR}),
    "fund_insurance": frozenset({OPERATOR}),
    "withdraw_insurance": frozenset({OPERATOR}),
}

_SENT_BY = {role: {kind for kind, roles in MAY_SEND.items() if role in {*roles, Role.ADMIN}} for role in Role}
"""The same by role, which is quicker asked."""

EVERYBODY = frozenset({CUSTOMER, SERVICE, OPERATOR, AUDITOR})
STAFF = EVERYBODY - {CUSTOMER}

# Where customers stand in a row, they see what is of their own account and nothing else.
MAY_READ: dict[Resource, frozenset[Role]] = {
    Resource.ACCOUNT: EVERYBODY,
    Resource.ACCOUNTS: STAFF,
    Resource.EVENTS: STAFF,
    Resource.WITHDRAWALS: EVERYBODY,
    Resource.HOLDS: EVERYBODY,
    Resource.LOANS: EVERYBODY,
    Resource.LIQUIDATIONS: EVERYBODY,
    Resource.ADJUSTMENTS: STAFF,
    Resource.MARKET: EVERYBODY,
    Resource.REPORTS: STAFF,
    Resource.CHECKPOINTS: EVERYBODY,
    # Whoever is watched does not see what is noted of the others.
    Resource.READS: frozenset({AUDITOR}),
    Resource.READS_OF_ACCOUNT: frozenset({CUSTOMER, AUDITOR}),
    Resource.LIABILITIES: EVERYBODY,
    Resource.KEYS: frozenset(),
}

MAY_STATE_EFFECTIVE_AT = frozenset({SERVICE, OPERATOR, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request: the name and role of the key, and for a customer the account it is bound to."""

    name: str
    role: Role
    account_id: str | None = None

    @property
    def actor(self) -> str:
        """What events say of who asked: ROLE:NAME."""
        return f"{self.role}:{self.name}"


def require_may_send(caller: Caller, command: Command) -> None:
    """Refuse with Forbidden a command that the caller's role may not send, or a customer not for another account."""
    if command.type not in _SENT_BY[caller.role]:
        raise may_not_send(caller, command.type)
    if caller.role is Role.CUSTOMER:
        _require_own_account(caller, command)
    if command.effective_at is not None and caller.role not in MAY_STATE_EFFECTIVE_AT:
        raise Forbidden(
            f"a key of role {caller.role} may not state effective_at; leave it out, and the command counts now"
        )


def may_send(caller: Caller, command: str) -> bool:
    """Whether the caller's role may send commands of this type."""
    return command in _SENT_BY[caller.role]


def may_not_send(caller: Caller, command: str) -> Forbidden:
    """The refusal of a type of command that the caller's role may not send."""
    return Forbidden(f"a key of role {caller.role} may not send {command}; {_names_of(MAY_SEND.get(command))} may")


def _require_own_account(caller: Caller, command: Command) -> None:
    own = isinstance(command, AccountCommand | AccrueInterest) and command.account_id == caller.account_id
    if not own:
        raise Forbidden(f"the key {caller.name} acts on account {caller.account_id} only")


def require_may_read(caller: Caller, resource: Resource, account_id: str | None = None) -> None:
    """Refuse with Forbidden a question that the caller's role may not ask, or a customer not about another account.

    Nothing is looked up before, so that the answer says nothing of whether the account exists.
    """
    if not may_read(caller, resource):
        raise Forbidden(f"a key of role {caller.role} may not read {resource}; {_names_of(MAY_READ[resource])} may")
    if caller.role is Role.CUSTOMER and account_id is not None and account_id != caller.account_id:
        raise Forbidden(f"the key {caller.name} reads account {caller.account_id} only")


def may_read(caller: Caller, resource: Resource) -> bool:
    """Whether the caller's role may ask questions of this kind."""
    return caller.role is Role.ADMIN or caller.role in MAY_READ[resource]


def seen_by(caller: Caller, entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of the audit trail of an account as this caller, who may read it, sees it."""
    return seen_by_customer(entry) if caller.role is Role.CUSTOMER else entry


def seen_by_customer(entry: dict[str, Any]) -> dict[str, Any]:
    """The same entry, unless it is a reversed trade: that says whose the other side was, which is not the customer's.

    Both sides of a sending know each other from the sending.
    """
    if entry.get("reversed_topic") != TradeBooked.TOPIC:
        return entry
    return {name: value for name, value in entry.items() if name != "other_account_id"}


def own_account(caller: Caller, account_id: str | None) -> str | None:
    """The account that a list is narrowed to: a customer's own whatever was asked for, else the one asked for."""
    return caller.account_id if caller.role is Role.CUSTOMER else account_id


def _names_of(roles: frozenset[Role] | None) -> str:
    return ", ".join([*sorted(roles or ()), Role.ADMIN])
