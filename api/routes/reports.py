"""Reports over all accounts: the trial balance, margin levels, deficits and the insurance fund."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import answer
from api.asking import AnyCaller, Asked, Limit, Position, TheDoors, page
from api.examples import BOOK, INSURANCE, MARGIN_LEVELS, TRIAL_BALANCE, example
from api.roles import Resource, require_may_read
from api.routes.statements import AskedLines, place_of_line
from api.words import AssetSymbol, Band
from projections.journal.queries import book_statement
from projections.liquidations.queries import insurance, uncovered_deficits, uncovered_total
from projections.questions.known import known_of_accounts
from projections.questions.levels import count_by_band, levels
from projections.questions.trial_balance import trial_balance_answer

router = APIRouter(tags=["reports"])

BOOK_PATH = r"^[A-Za-z0-9_.:/\-]{1,160}$"

AnyBand = Annotated[Band | Literal["unpriced"] | None, Query(description="Only wallets in this band.")]
WalletPlace = Annotated[
    str | None,
    Query(max_length=100, pattern=r"^[A-Za-z0-9_.:\-]+,[a-zA-Z0-9:/]+$", description="`next` of the page before."),
]


@router.get("/v1/reports/trial-balance", summary="The sums of all books", responses=example(TRIAL_BALANCE))
def get_trial_balance(caller: AnyCaller, doors: TheDoors, asked: Asked) -> Response:
    """By asset the sum of every kind of book; `total` is zero at every position of the log."""
    require_may_read(caller, Resource.REPORTS)
    with asked.open(doors) as snapshot:
        return answer(trial_balance_answer(snapshot.connection, snapshot.position, asked.effective_at))


@router.get("/v1/reports/margin-levels", summary="Wallets that owe, by band", responses=example(MARGIN_LEVELS))
def get_margin_levels(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    band: AnyBand = None,
    after: WalletPlace = None,
    limit: Limit = 100,
) -> Response:
    """Levels at the prices last marked, in order of account and wallet, and how many wallets are in each band.

    `unpriced` are the wallets that cannot be examined for lack of fresh prices.
    """
    require_may_read(caller, Resource.REPORTS)
    account_id, _, wallet = (after or ",").partition(",")
    with asked.open(doors) as snapshot:
        connection, position, dated = snapshot.connection, snapshot.position, asked.effective_at
        after_wallet = (account_id, wallet)
        rows = levels(connection, position, band=band, after=after_wallet, limit=limit + 1, effective_at=dated)
        bands = count_by_band(connection, position, dated)
    found = page("wallets", rows, limit, lambda row: f"{row['account_id']},{row['wallet']}")
    return answer({"position": position, "bands": bands, **found})


@router.get("/v1/reports/insurance", summary="The insurance fund", responses=example(INSURANCE))
def get_insurance(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    after: Annotated[Position, Query(description="`next` of the page before.")] = 0,
    limit: Limit = 100,
) -> Response:
    """What the fund holds; below zero is the uncovered deficit, listed by liquidation in log order.

    `uncovered_so_far` is the running total of that list, `uncovered_total` all of it: what was to be shared, whether or
    not the fund was filled up again since.
    """
    require_may_read(caller, Resource.REPORTS)
    with asked.open(doors) as snapshot:
        known = known_of_accounts(snapshot)
        fund = insurance(snapshot.connection, known)
        rows = uncovered_deficits(snapshot.connection, known, after=after, limit=limit + 1)
        total = uncovered_total(snapshot.connection, known)
    found = page("uncovered_deficits", rows, limit, lambda row: row["position"])
    return answer({"position": snapshot.position, "assets": fund, "uncovered_total": total, **found})


@router.get("/v1/reports/book", summary="The lines of one book", responses=example(BOOK))
def get_book(
    caller: AnyCaller,
    doors: TheDoors,
    asked: Asked,
    book: Annotated[str, Query(pattern=BOOK_PATH, description="Such as `fees` or `account/alice/cross/locked`.")],
    asset: Annotated[AssetSymbol, Query(description="The asset of the lines.")],
    lines: AskedLines,
) -> Response:
    """Journal lines of a book of the house or of an account in one asset, each with the balance after it."""
    require_may_read(caller, Resource.REPORTS)
    with asked.open(doors) as snapshot:
        rows = book_statement(snapshot.connection, known_of_accounts(snapshot), book, asset, **lines.more_than_shown)
    found = page("lines", rows, lines.limit, place_of_line)
    return answer({"position": snapshot.position, "book": book, "asset": asset, **found})
