"""The exchange's own streams: listings, limits, rates and the insurance fund, prices beside; decide and evolve."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar, assert_never

from ledger import commands as c
from ledger import events as e
from ledger import prices
from ledger.decision import Context, envelope_of, require_decimals, require_scale, require_version
from ledger.errors import (
    AssetExists,
    InsufficientInsurance,
    LeverageNotAllowed,
    NothingToDo,
    PairExists,
    TooManyDecimals,
)
from ledger.market import (
    FULL_COLLATERAL,
    PAIR_TIERS,
    AssetListing,
    Market,
    PairListing,
    Rates,
    RiskLimits,
)
from ledger.money import ZERO, base_of, decimals_of, quote_of
from ledger.tiers import RiskTier
from ledger.words import CROSS, PRICES, AssetUse, Execution

SettingCommand = (
    c.ListAsset
    | c.SetAssetLimits
    | c.ListPair
    | c.SetPairStatus
    | c.SetRiskLimits
    | c.SetInterestRate
    | c.FundInsurance
    | c.WithdrawInsurance
)
ExchangeCommand = SettingCommand | c.MarkPrices | c.ConfirmPrice | c.RejectPrice


def admit(command: ExchangeCommand, market: Market) -> None:
    """Refuse what names an asset or pair that is not listed, or has too many decimals."""
    match command:
        case c.ListAsset():
            require_decimals("borrow_limit", command.borrow_limit, command.asset, command.scale)
        case c.SetAssetLimits():
            require_scale(market, command.asset, "borrow_limit", command.borrow_limit)
        case c.SetInterestRate():
            market.asset(command.asset)
        case c.ListPair():
            market.asset(base_of(command.pair))
            market.asset(quote_of(command.pair))
        case c.SetPairStatus():
            market.pair(command.pair)
        case c.SetRiskLimits():
            if command.scope != CROSS:
                _require_limit_scales(market, market.pair(command.scope).pair, command.tiers or [])
        case c.MarkPrices():
            for pair, price in command.prices.items():
                _require_price_scale(market, pair, price)
        case c.ConfirmPrice():
            _require_price_scale(market, command.pair, command.price)
        case c.RejectPrice():
            market.pair(command.pair)
        case c.FundInsurance() | c.WithdrawInsurance():
            require_scale(market, command.asset, "amount", command.amount)
        case _:
            assert_never(command)


def _require_limit_scales(market: Market, pair: str, tiers: Sequence[RiskTier]) -> None:
    for tier in tiers:
        require_scale(market, base_of(pair), "base_limit", tier.base_limit)
        require_scale(market, quote_of(pair), "quote_limit", tier.quote_limit)


def _require_price_scale(market: Market, pair: str, price: Decimal) -> None:
    scale = market.pair(pair).price_scale
    if decimals_of(price) > scale:
        raise TooManyDecimals(
            f"price {price:f} of {pair} has {decimals_of(price)} decimals, its price scale is {scale}"
        )


def decide(command: ExchangeCommand, market: Market, context: Context) -> Sequence[e.ExchangeEvent]:
    """Decide one command of the exchange; its events in their order, or a refusal."""
    stream = command.stream
    version = market.prices_version if stream == PRICES else market.version
    require_version(command, stream, version)
    envelope: dict[str, Any] = {"account_id": stream, "version": version + 1, **envelope_of(command, market, context)}
    match command:
        case c.MarkPrices():
            return prices.mark_prices(market, command, envelope)
        case c.ConfirmPrice():
            return [prices.confirm_price(market, command, envelope)]
        case c.RejectPrice():
            return [prices.reject_price(market, command, envelope)]
        case _:
            return [_decide_setting(market, command, envelope)]


def _decide_setting(market: Market, command: SettingCommand, envelope: Mapping[str, Any]) -> e.ExchangeEvent:
    match command:
        case c.ListAsset():
            return _list_asset(market, command, envelope)
        case c.SetAssetLimits():
            return _set_asset_limits(market, command, envelope)
        case c.ListPair():
            return _list_pair(market, command, envelope)
        case c.SetPairStatus():
            return _set_pair_status(market, command, envelope)
        case c.SetRiskLimits():
            return _set_risk_limits(market, command, envelope)
        case c.SetInterestRate():
            return _set_interest_rate(market, command, envelope)
        case c.FundInsurance():
            return e.InsuranceFunded(**envelope, asset=command.asset, amount=command.amount)
        case c.WithdrawInsurance():
            return _withdraw_insurance(market, command, envelope)
        case _:
            assert_never(command)


def _list_asset(market: Market, command: c.ListAsset, envelope: Mapping[str, Any]) -> e.AssetListed:
    if command.asset in market.assets:
        raise AssetExists(f"asset {command.asset} is already listed; set_asset_limits and set_interest_rate change it")
    return e.AssetListed(
        **envelope,
        asset=command.asset,
        scale=command.scale,
        daily_interest_rate=command.daily_interest_rate,
        borrow_limit=command.borrow_limit,
        collateral_tiers=command.collateral_tiers or list(FULL_COLLATERAL),
    )


def _set_asset_limits(market: Market, command: c.SetAssetLimits, envelope: Mapping[str, Any]) -> e.AssetLimitsSet:
    listing = market.asset(command.asset)
    enabled = listing.enabled if command.enabled is None else frozenset(command.enabled)
    tiers = tuple(command.collateral_tiers or listing.collateral_tiers)
    limit = _stated(command, "borrow_limit", listing.borrow_limit)
    if (limit, tiers, enabled) == (listing.borrow_limit, listing.collateral_tiers, listing.enabled):
        raise NothingToDo(f"the limits of {command.asset} already are as asked")
    return e.AssetLimitsSet(
        **envelope,
        asset=command.asset,
        borrow_limit=limit,
        collateral_tiers=list(tiers),
        enabled=[use for use in AssetUse if use in enabled],
    )


Limit = TypeVar("Limit", Decimal, int)


def _stated(command: c.Command, name: str, old: Limit | None) -> Limit | None:
    """What a command states of a limit that null lifts; left out, it stays as it is."""
    limit: Limit | None = getattr(command, name)
    return limit if name in command.model_fields_set else old


def _list_pair(market: Market, command: c.ListPair, envelope: Mapping[str, Any]) -> e.PairListed:
    if command.pair in market.pairs:
        raise PairExists(f"pair {command.pair} is already listed; set_pair_status and set_risk_limits change it")
    highest = PAIR_TIERS[-1].max_leverage
    if command.max_leverage > highest:
        raise LeverageNotAllowed(
            f"{command.pair} was asked with leverage {command.max_leverage:f}, at most {highest} is known"
        )
    scale = command.price_scale
    return e.PairListed(**envelope, pair=command.pair, price_scale=scale, max_leverage=command.max_leverage)


def _set_pair_status(market: Market, command: c.SetPairStatus, envelope: Mapping[str, Any]) -> e.PairStatusSet:
    if market.pair(command.pair).status is command.status:
        raise NothingToDo(f"{command.pair} already is {command.status}")
    return e.PairStatusSet(**envelope, pair=command.pair, status=command.status)


def _set_risk_limits(market: Market, command: c.SetRiskLimits, envelope: Mapping[str, Any]) -> e.RiskLimitsSet:
    old = market.limits_of(command.scope)
    new = RiskLimits(
        tiers=_tiers_after(old, command),
        price_max_age_seconds=command.price_max_age_seconds or old.price_max_age_seconds,
        liquidation_fee=old.liquidation_fee if command.liquidation_fee is None else command.liquidation_fee,
        dust=old.dust if command.dust is None else command.dust,
        price_jump_limit=_stated(command, "price_jump_limit", old.price_jump_limit),
        liquidation_target=_stated(command, "liquidation_target", old.liquidation_target),
        liquidation_execution=command.liquidation_execution or old.liquidation_execution,
        execution_time_limit_seconds=_stated(command, "execution_time_limit_seconds", old.execution_time_limit_seconds),
    )
    if new == old:
        raise NothingToDo(f"the risk limits of {command.scope} already are as asked")
    new.require_target_above_lines(command.scope)
    return e.RiskLimitsSet(
        **envelope,
        scope=command.scope,
        tiers=list(new.tiers),
        price_max_age_seconds=new.price_max_age_seconds,
        liquidation_fee=new.liquidation_fee,
        dust=new.dust,
        price_jump_limit=new.price_jump_limit,
        liquidation_target=new.liquidation_target,
        liquidation_execution=None if new.liquidation_execution is Execution.HOUSE else new.liquidation_execution,
        execution_time_limit_seconds=new.execution_time_limit_seconds,
    )


def _tiers_after(old: RiskLimits, command: c.SetRiskLimits) -> tuple[RiskTier, ...]:
    """A pair's tiers are set as a whole; of the cross pool's two rows, the ones stated are replaced."""
    if command.tiers is None:
        return old.tiers
    if command.scope != CROSS:
        return tuple(command.tiers)
    rows = {row.max_leverage: row for row in (*old.tiers, *command.tiers)}
    return tuple(rows[leverage] for leverage in sorted(rows))


def _set_interest_rate(market: Market, command: c.SetInterestRate, envelope: Mapping[str, Any]) -> e.InterestRateSet:
    since = envelope["effective_at"]
    if market.asset(command.asset).rates.at(since) == command.daily_rate:
        raise NothingToDo(f"the rate of {command.asset} at {since.isoformat()} already is {command.daily_rate:f} a day")
    return e.InterestRateSet(**envelope, asset=command.asset, daily_rate=command.daily_rate)


def _withdraw_insurance(
    market: Market, command: c.WithdrawInsurance, envelope: Mapping[str, Any]
) -> e.InsuranceWithdrawn:
    there = market.withdrawable_insurance.get(command.asset, ZERO)
    if command.amount > there:
        raise InsufficientInsurance(
            f"{there:f} {command.asset} of the insurance fund was funded and not yet withdrawn, "
            f"{command.amount:f} {command.asset} was asked for"
        )
    return e.InsuranceWithdrawn(**envelope, asset=command.asset, amount=command.amount)


def evolve(market: Market, event: e.ExchangeEvent) -> None:
    """Take an event of the exchange's streams into the market; never refused."""
    if isinstance(event, e.PriceEvent):
        prices.evolve(market, event)
        return
    market.version = event.version
    match event:
        case e.AssetListed():
            tiers = tuple(event.collateral_tiers)
            rates = Rates(event.daily_interest_rate)
            market.assets[event.asset] = AssetListing(event.asset, event.scale, rates, event.borrow_limit, tiers)
        case e.AssetLimitsSet():
            listing = market.assets[event.asset]
            listing.borrow_limit, listing.collateral_tiers = event.borrow_limit, tuple(event.collateral_tiers)
            listing.enabled = frozenset(event.enabled)
        case e.PairListed():
            market.pairs[event.pair] = PairListing(event.pair, event.price_scale, event.max_leverage)
        case e.PairStatusSet():
            market.pairs[event.pair].status = event.status
        case e.RiskLimitsSet():
            market.limits[event.scope] = RiskLimits.of(event)
        case e.InterestRateSet():
            market.assets[event.asset].rates.set(event.effective_at, event.daily_rate)
        case e.InsuranceFunded() | e.InsuranceWithdrawn():
            amount = event.amount if isinstance(event, e.InsuranceFunded) else -event.amount
            fund = market.withdrawable_insurance
            fund[event.asset] = fund.get(event.asset, ZERO) + amount
        case _:
            assert_never(event)
