"""The funds locked for open orders, as of a log position or a business time."""

from datetime import datetime
from typing import Any

from ledger.postgres import Connection
from projections.rows import rows_of

# A hold that is used up and was not changed since is passed over by an index, whatever it once was.
HOLDS = """
select state.account_id, state.hold_id, state.position, state.wallet, state.asset, state.amount, placed.placed_at
from holds as known
cross join lateral ({state}) as state
cross join lateral (
    select placed_at from hold_states
    where account_id = known.account_id and hold_id = known.hold_id and position <= state.position
      and placed_at is not null
    order by position desc
    limit 1
) as placed
where state.amount > 0
  and (known.amount > 0 or known.position > %(through)s)
  and (%(account_id)s::text is null or known.account_id = %(account_id)s)
  and (%(wallet)s::text is null or state.wallet = %(wallet)s)
  and (%(asset)s::text is null or state.asset = %(asset)s)
  and (%(after_account)s::text is null or (known.account_id, known.hold_id) > (%(after_account)s, %(after_hold)s))
order by known.account_id, known.hold_id
limit %(limit)s
"""
STATE = """
    select * from hold_states
    where account_id = known.account_id and hold_id = known.hold_id and position <= %(position)s
    order by position desc
    limit 1
"""
# What is left as of a business time is what its changes dated up to it add up to.
DATED_STATE = """
    select last.account_id, last.hold_id, last.position, last.wallet, last.asset, dated.amount
    from (
        select sum(change.amount) as amount, max(change.position) as position
        from (
            select position, amount - lag(amount, 1, 0::numeric) over (order by position) as amount
            from hold_states
            where account_id = known.account_id and hold_id = known.hold_id and position <= %(position)s
        ) as change
        join account_versions as version on version.account_id = known.account_id
            and version.position = change.position and version.effective_at <= %(until)s
    ) as dated
    join hold_states as last on last.account_id = known.account_id and last.hold_id = known.hold_id
        and last.position = dated.position
"""


def holds(
    connection: Connection,
    position: int,
    *,
    account_id: str | None = None,
    wallet: str | None = None,
    asset: str | None = None,
    after: tuple[str, str] | None = None,
    limit: int = 100,
    effective_at: datetime | None = None,
    through: int | None = None,
) -> list[dict[str, Any]]:
    """Holds with something left, in order of account and hold; `after` is the account and hold id to go on from.

    As of a business time `through` is a position up to which all that happened to them is dated up to it.
    """
    after_account, after_hold = after or (None, None)
    asked = {"position": position, "account_id": account_id, "wallet": wallet, "asset": asset, "limit": limit}
    until = {"until": effective_at, "through": position if through is None else through}
    statement = HOLDS.format(state=STATE if effective_at is None else DATED_STATE)
    places = {"after_account": after_account, "after_hold": after_hold}
    return rows_of(connection, statement, {**asked, **until, **places})
