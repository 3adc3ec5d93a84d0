"""The examples of a what-if and of the exposure report: one long of 1 BTC on 40,000 borrowed, and a fall of 40 %."""

from typing import Any

_SWEEP_FIELDS = {
    "of": {"type": "string", "description": "A pair, an asset, or `all`; nothing that is shocked as well."},
    "from": {"type": "string", "description": "The first change.", "examples": ["-50%"]},
    "to": {"type": "string", "description": "The last change, at most.", "examples": ["+50%"]},
    "step": {"type": "string", "description": "How far the changes are apart.", "examples": ["5%"]},
}
WHAT_IF_BODY: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "shocks": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "By pair (`BTC/USDT`), asset (`BTC`) or `all` (every other pair in the valuation asset): a "
            "change with its sign (`-20%`), rounded away from the price of now, or a price (`48000`).",
        },
        "sweep": {
            "type": "object",
            "required": sorted(_SWEEP_FIELDS),
            "additionalProperties": False,
            "properties": _SWEEP_FIELDS,
            "description": "One change after the other, each beside the shocks: a row of figures for each.",
        },
    },
    "example": {"shocks": {"BTC/USDT": "-40%", "ETH": "1400"}},
}
_FIGURES = {"called": 0, "liquidated": 1, "repaid_value": "30000", "fee_value": "0", "deficit": "10000"}
_UNCOVERED = {"uncovered_deficit": "6000"}
WHAT_IF = {
    "position": 1042,
    "prices_effective_at": "2020-03-12T10:45:00Z",
    "shocks": {"BTC/USDT": {"stated": "-40%", "price": "50000", "shocked": "30000"}},
    "bands": {"margin_call": {"before": 1, "after": 0}, "liquidation": {"before": 0, "after": 1}},
    "unpriced": {"count": 0, "wallets": list[Any]()},
    "being_liquidated": 0,
    "backdated": 0,
    **_FIGURES,
    **_UNCOVERED,
    "fund": {"before": {"USDT": "4000"}, "after": {"USDT": "-6000"}},
    "by_pair": {"cross": _FIGURES},
    "by_asset": {
        "BTC": {"sold": "1", "repaid": "0", "fee": "0", "covered": "0", "deficit": "0"},
        "USDT": {"sold": "0", "repaid": "30000", "fee": "0", "covered": "10000", "deficit": "10000"},
    },
    "wallets": [
        {
            "account_id": "dan",
            "wallet": "cross",
            "outcome": "liquidated",
            "band": {"before": "margin_call", "after": "liquidation"},
            "margin_level": {"before": "1.25000000", "after": "0.75000000"},
            "equity": {"before": "10000", "after": "-10000"},
            "close_out": {
                "sold": {"BTC": "1"},
                "repaid": {"USDT": "30000"},
                "fee": {},
                "covered": {"USDT": "10000"},
                "repaid_value": "30000",
                "deficit": "10000",
            },
        }
    ],
    "next": None,
    "sweep": {"of": "BTC/USDT", "steps": [{"change": "-40%", **_FIGURES, **_UNCOVERED, "fund_after": "-6000"}]},
}
_ONE = {"accounts": 1, "top_1": "1.00000000", "top_5": "1.00000000", "top_10": "1.00000000"}
_SPREAD = {**_ONE, "herfindahl": "1.00000000"}
EXPOSURE = {
    "position": 1042,
    "prices_effective_at": "2020-03-12T10:45:00Z",
    "pairs": {
        "BTC/USDT": {
            "long": {"positions": 1, "quantity": "1", "value": "50000"},
            "short": {"positions": 0, "quantity": "0", "value": "0"},
            "net": {"quantity": "1", "value": "50000"},
        }
    },
    "debtors": [
        {
            "account_id": "dan",
            "wallets": ["cross"],
            "debt_value": "40000",
            "collateral_value": "50000",
            "debts": {"USDT": "40000"},
            "collateral": {"BTC": "1"},
        }
    ],
    "concentration": {
        "debt": {"USDT": {"total": "40000", **_SPREAD}, "all": {"total": "40000", **_SPREAD}},
        "collateral": {"BTC": {"total": "1", **_SPREAD}, "all": {"total": "50000", **_SPREAD}},
    },
    "near": {
        "within_percent": "15",
        "count": 1,
        "debt_value": "40000",
        "wallets": [
            {
                "account_id": "dan",
                "wallet": "cross",
                "band": "margin_call",
                "margin_level": "1.25000000",
                "total_debt": "40000",
                "move_percent": "-12.0000",
                "liquidation_price": None,
            }
        ],
    },
    "unpriced": 0,
    "backdated": 0,
}
