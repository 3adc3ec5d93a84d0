"""Liquidations with their explanation, margin calls, and the insurance fund, as of any position."""

from decimal import Decimal
from typing import Any

from psycopg.rows import dict_row

from projections.projector import Connection

# The completion is told only to who asks as of a position that has it.
LIQUIDATION = """
    select liquidation_id, account_id, wallet, execution, started_position, started_at, started,
        case when completed_position <= %(position)s then completed_position end as completed_position,
        case when completed_position <= %(position)s then completed end as completed,
        case when completed_position <= %(position)s then 'completed' else 'running' end as status,
        deficit.value as deficit_value, deficit.uncovered as uncovered_deficit
    from liquidations cross join lateral (
        select coalesce(sum(value), 0) as value, coalesce(sum(uncovered), 0) as uncovered from liquidation_steps
        where liquidation_steps.liquidation_id = liquidations.liquidation_id and position <= %(position)s
    ) as deficit
    where started_position <= %(position)s
"""


def liquidation(connection: Connection, position: int, liquidation_id: str) -> dict[str, Any] | None:
    """One liquidation as of a position with its `steps` in log order; None if it was not started by then.

    `started` and `completed` are the events' bodies; values are in the valuation asset.
    """
    values = {"position": position, "liquidation_id": liquidation_id}
    found = _rows(connection, f"{LIQUIDATION} and liquidation_id = %(liquidation_id)s", values)
    if not found:
        return None
    steps = _rows(
        connection,
        "select position, topic, content, value, uncovered from liquidation_steps"
        " where liquidation_id = %(liquidation_id)s and position <= %(position)s order by position",
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
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Liquidations in log order, after the one started at the position `after`; status is running or completed."""
    return _rows(
        connection,
        f"select * from ({LIQUIDATION}) as liquidation where started_position > %(after)s"
        " and (%(account_id)s::text is null or account_id = %(account_id)s)"
        " and (%(status)s::text is null or status = %(status)s) order by started_position limit %(limit)s",
        {"position": position, "account_id": account_id, "status": status, "after": after, "limit": limit},
    )


def running(connection: Connection, position: int, account_id: str) -> dict[str, dict[str, Any]]:
    """The liquidations that run on an account at a position, by wallet."""
    return {one["wallet"]: one for one in liquidations(connection, position, account_id=account_id, status="running")}


def margin_calls(
    connection: Connection,
    position: int,
    *,
    account_id: str | None = None,
    wallet: str | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Margin calls in log order up to a position, after the one at the position `after`."""
    return _rows(
        connection,
        "select * from margin_calls where position <= %(position)s and position > %(after)s"
        " and (%(account_id)s::text is null or account_id = %(account_id)s)"
        " and (%(wallet)s::text is null or wallet = %(wallet)s) order by position limit %(limit)s",
        {"position": position, "account_id": account_id, "wallet": wallet, "after": after, "limit": limit},
    )


def insurance(connection: Connection, position: int) -> dict[str, Decimal]:
    """What the insurance fund holds of each asset at a position; below zero is the uncovered deficit."""
    rows = connection.execute(
        "select insurance.asset, state.balance from insurance cross join lateral"
        " (select balance from insurance_states where asset = insurance.asset and position <= %s"
        " order by position desc limit 1) as state",
        [position],
    )
    return dict(rows.fetchall())


def uncovered_deficits(
    connection: Connection, position: int, *, after: int = 0, limit: int = 100
) -> list[dict[str, Any]]:
    """The deficits that the insurance fund could not pay in full, in log order, each with its liquidation."""
    return _rows(
        connection,
        "select position, liquidation_id, account_id, wallet, content ->> 'asset' as asset, value, uncovered"
        " from liquidation_steps where uncovered > 0 and position <= %(position)s and position > %(after)s"
        " order by position limit %(limit)s",
        {"position": position, "after": after, "limit": limit},
    )


def _rows(connection: Connection, statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()
