"""Questions about accounts: the list, one account with all its wallets, and what may be borrowed or taken out."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import answer
from api.asking import AccountId, AnyCaller, Asked, Limit, TheDoors, no_account, page
from api.examples import ACCOUNT, ACCOUNTS, LIMITS, example
from api.roles import Resource, require_may_read
from api.words import AccountStatus, AssetSymbol, Capability, Identifier, WalletName
from projections.accounts.queries import list_accounts
from projections.questions.account import account_answer
from projections.questions.accounts import dated_accounts
from projections.questions.limits import limits_answer

router = APIRouter(tags=["accounts"])


@router.get("/v1/accounts", summary="List accounts", responses=example(ACCOUNTS))
def get_accounts(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    status: Annotated[AccountStatus | None, Query(description="Only accounts in this status.")] = None,
    blocked: Annotated[Capability | None, Query(description="Only accounts whose freeze blocks this.")] = None,
    after: Annotated[Identifier | None, Query(description="Only accounts after this id.")] = None,
    limit: Limit = 100,
) -> Response:
    """Accounts in order of their ids; `next` says what `after` must be to read on."""
    require_may_read(caller, Resource.ACCOUNTS)
    with asked.open(doors) as snapshot:
        which: dict[str, Any] = {"status": status, "blocked": blocked, "after": after, "limit": limit + 1}
        if asked.effective_at is None:
            rows = list_accounts(snapshot.connection, snapshot.position, **which)
        else:
            rows = dated_accounts(snapshot.connection, snapshot.position, asked.effective_at, **which)
    return answer({"position": snapshot.position, **page("accounts", rows, limit, lambda row: row["account_id"])})


@router.get("/v1/accounts/{account_id}", summary="One account with its wallets", responses=example(ACCOUNT))
def get_account(caller: AnyCaller, doors: TheDoors, asked: Asked, account_id: AccountId) -> Response:
    """Balances, debts, levels, bands, liquidation prices and positions, all true at one log position.

    Without a parameter the answer includes everything that was recorded before the question arrived. As of a business
    time (`effective_at`) it sums what is dated up to it, and says `backdated` where a balance is below zero.
    """
    require_may_read(caller, Resource.ACCOUNT, account_id)
    with asked.open(doors) as snapshot:
        found = account_answer(
            snapshot.connection,
            snapshot.position,
            account_id,
            effective_at=asked.effective_at,
            as_of=asked.stated,
        )
    if found is None:
        raise no_account(account_id, snapshot.position)
    return answer(found)


@router.get("/v1/accounts/{account_id}/limits", summary="What may be borrowed or taken out", responses=example(LIMITS))
def get_limits(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    account_id: AccountId,
    wallet: Annotated[WalletName, Query(description="`spot`, `cross` or `isolated:BTC/USDT`.")],
    asset: Annotated[AssetSymbol, Query(description="The asset to borrow or to take out.")],
) -> Response:
    """The largest amounts, at the asset's scale, that the decision itself would accept.

    As of a business time they are of what is dated up to it, and 0 where that is below zero.
    """
    require_may_read(caller, Resource.ACCOUNT, account_id)
    with asked.open(doors) as snapshot:
        connection, position = snapshot.connection, snapshot.position
        return answer(limits_answer(connection, position, account_id, wallet, asset, effective_at=asked.effective_at))
