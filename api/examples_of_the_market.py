"""Examples of answers about the market: listings, prices, what is held of them, what was set."""

from typing import Any

from api.examples import AT

PRICES = {
    **AT,
    "prices": [{"pair": "BTC/USDT", "price": "61234.5", "position": 1040, "version": 12, "source": "index"}],
    "next": None,
}
SETTINGS = {
    **AT,
    "settings": [{"position": 3, "version": 3, "topic": "pair.listed", "scope": "BTC/USDT"}],
    "next": None,
}
MARKET: dict[str, Any] = {
    **AT,
    "version": 9,
    "prices_version": 640,
    "valuation_asset": "USDT",
    "assets": {"BTC": {"scale": 8, "borrow_limit": None, "enabled": ["transfer", "borrow", "trade"]}},
    "pairs": {"BTC/USDT": {"price_scale": 2, "max_leverage": "10", "status": "trading"}},
    "prices": {"BTC/USDT": {"price": "61234.5", "position": 1040, "stale": False}},
    "held_prices": {
        "BTC/USDT": [
            {
                "price": "30617.25",
                "source": "index",
                "position": 1041,
                "version": 641,
                "effective_at": "2020-03-12T10:45:01Z",
                "last_price": "61234.5",
                "last_effective_at": "2020-03-12T10:45:00Z",
                "price_jump_limit": "0.2",
            }
        ]
    },
}
