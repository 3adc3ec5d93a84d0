"""Liquidations with their explanation, margin calls, and the insurance fund, as of any position."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from ledger.log import read_positions
from ledger.money import ZERO
from ledger.postings import postings
from ledger.words import House
from projections.dating import END, Dated, Part, condition_on
from projections.projector import Connection
from projections.rows import rows_of

DATED = "(%(until)s::timestamptz is null or ({content} ->> 'effective_at')::timestamptz <= %(until)s)"
STEP = f"position <= %(position)s and {DATED.format(content='content')}"
# The completion is told only to who asks as of a point that has it.
LIQUIDATION = f"""
    select liquidation_id, account_id, wallet, execution, started_position, started_at, started,
        case when done then completed_position end as completed_position,
        case when done then completed end as completed,
        case when done then 'completed' else 'running' end as status,
        (started ->> 'execute_by')::timestamptz as execute_by,
        deficit.value as deficit_value, deficit.uncovered as uncovered_deficit
    from liquidations
    cross join lateral (
        select completed_position <= %(position)s and {DATED.format(content="completed")} as done
    ) as completion
    cross join lateral (
        select coalesce(sum(value), 0) as value, coalesce(sum(uncovered), 0) as uncovered from liquidation_steps
        where liquidation_steps.liquidation_id = liquidations.liquidation_id and {STEP}
    ) as deficit
    where started_position <= %(position)s and (%(until)s::timestamptz is null or started_at <= %(until)s)
"""


def liquidation(
    connection: Connection, position: int, liquidation_id: str, *, effective_at: datetime | None = None
) -> dict[str, Any] | None:
    """One liquidation as of a position with its `steps` in log order; None if it was not started by then.

    `started` and `completed` are the events' bodies; values are in the valuation asset.
    """
    values = {"position": position, "liquidation_id": liquidation_id, "until": effective_at}
    found = rows_of(connection, f"{LIQUIDATION} and liquidation_id = %(liquidation_id)s", values)
    if not found:
        return None
    steps = rows_of(
        connection,
        "select position, topic, content, value, uncovered from liquidation_steps"
        f" where liquidation_id = %(liquidation_id)s and {STEP} order by position",
        values,
    )
    return {**found[0], "steps": steps}


def liquidations(
    connection: Connection,
    position: int,
    *,
    account_id: str | None = None,
    status: str | None = None,
    after: int = 0,
    before: int = END,
    limit: int = 100,
    newest_first: bool = False,
    effective_at: datetime | None = None,
    overdue_at: datetime | None = None,
) -> list[dict[str, Any]]:
    """Liquidations started between two positions, in log order or from the last back; status is running or completed.

    With `overdue_at` those only that are running then though they were to be executed by an earlier time.
    """
    return rows_of(
        connection,
        f"select * from ({LIQUIDATION}) as liquidation"
        " where started_position > %(after)s and started_position < %(before)s"
        " and (%(account_id)s::text is null or account_id = %(account_id)s)"
        " and (%(status)s::text is null or status = %(status)s)"
        " and (%(overdue_at)s::timestamptz is null or (status = 'running' and execute_by < %(overdue_at)s))"
        f" order by started_position {'desc' if newest_first else 'asc'} limit %(limit)s",
        {
            "position": position,
            "until": effective_at,
            "account_id": account_id,
            "status": status,
            "after": after,
            "before": before,
            "limit": limit,
            "overdue_at": overdue_at,
        },
    )


def count_overdue(connection: Connection, at: datetime) -> int:
    """How many liquidations run now though they were to be executed by a time before `at`."""
    row = connection.execute(
        "select count(*) from liquidations where completed_position is null"
        " and (started ->> 'execute_by')::timestamptz < %s",
        [at],
    ).fetchone()
    return 0 if row is None else int(row[0])


def margin_calls(
    connection: Connection,
    position: int | Dated,
    *,
    account_id: str | None = None,
    wallet: str | None = None,
    after: int = 0,
    before: int = END,
    limit: int = 100,
    newest_first: bool = False,
) -> list[dict[str, Any]]:
    """Margin calls up to a position, between two positions, in log order or from the last back."""

    def ask(part: Part, most: int) -> list[dict[str, Any]]:
        statement = (
            f"select * from margin_calls where {condition_on(part)} and position > %s and position < %s"
            " and (%s::text is null or account_id = %s) and (%s::text is null or wallet = %s)"
            f" order by position {'desc' if newest_first else 'asc'} limit %s"
        )
        return rows_of(connection, statement, [part, after, before, account_id, account_id, wallet, wallet, most])

    return Dated.of(position).read(ask, limit, newest_first=newest_first)


def insurance(connection: Connection, position: int | Dated) -> dict[str, Decimal]:
    """What the insurance fund holds of each asset at a position; below zero is the uncovered deficit."""
    known = Dated.of(position)
    rows = connection.execute(
        "select insurance.asset, state.balance from insurance cross join lateral"
        " (select balance from insurance_states where asset = insurance.asset and position <= %s"
        " order by position desc limit 1) as state",
        [known.through],
    )
    balances: dict[str, Decimal] = dict(rows.fetchall())
    for recorded in read_positions(connection, known.beyond):
        for line in postings(recorded.event):
            if line.book.account_id is None and line.book.name == House.INSURANCE:
                balances[line.asset] = balances.get(line.asset, ZERO) + line.amount
    return balances


def uncovered_deficits(
    connection: Connection, position: int | Dated, *, after: int = 0, limit: int = 100
) -> list[dict[str, Any]]:
    """The deficits that the insurance fund could not pay in full, in log order, each with its liquidation.

    `uncovered_so_far` is the sum of what was left uncovered up to and with this one, in the valuation asset.
    """

    def ask(part: Part, most: int) -> list[dict[str, Any]]:
        statement = (
            "select position, liquidation_id, account_id, wallet, content ->> 'asset' as asset, value, uncovered"
            f" from liquidation_steps where uncovered > 0 and {condition_on(part)} and position > %s"
            " order by position limit %s"
        )
        return rows_of(connection, statement, [part, after, most])

    rows, so_far = Dated.of(position).read(ask, limit), uncovered_total(connection, position, until=after)
    for row in rows:
        so_far += row["uncovered"]
        row["uncovered_so_far"] = so_far
    return rows


def uncovered_total(connection: Connection, position: int | Dated, *, until: int | None = None) -> Decimal:
    """The sum of all that the insurance fund could not pay when it was asked to; up to the position `until`."""

    def ask(part: Part, _: int) -> list[Decimal]:
        statement = (
            "select coalesce(sum(uncovered), 0) from liquidation_steps"
            f" where uncovered > 0 and {condition_on(part)} and (%s::bigint is null or position <= %s)"
        )
        return [total for (total,) in connection.execute(statement, [part, until, until])]

    return sum(Dated.of(position).read(ask, 2), ZERO)
