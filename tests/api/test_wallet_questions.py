"""Questions about wallets as a whole, what decisions found, and the history of the market and of single books."""

from tests.api.house import House


def test_the_pool_and_the_buckets_are_told_as_a_whole(told: House) -> None:
    pool = told.get("/v1/accounts/alice/cross").json()["pool"]
    assert (pool["owes"], pool["liquidation_id"]) == (["USDT"], None)
    (bucket,) = told.get("/v1/accounts/lucy/isolated").json()["buckets"]
    assert (bucket["pair"], bucket["mode"], bucket["base_borrowed"]) == ("ETH/USDT", "isolated", "0")
    assert told.get("/v1/accounts/lucy/cross").json()["pool"] is None


def test_the_levels_that_decisions_found_are_read_in_pages(told: House) -> None:
    first = told.get("/v1/accounts/lucy/levels", params={"limit": 1}).json()
    rest = told.get("/v1/accounts/lucy/levels", params={"after": first["next"]}).json()
    found = [(row["topic"], row["wallet"]) for row in first["levels"] + rest["levels"]]
    assert found == [("loan.borrowed", "isolated:ETH/USDT"), ("trade.booked", "isolated:ETH/USDT")]


def test_the_history_of_prices_and_settings_is_told(told: House) -> None:
    prices = told.get("/v1/market/prices", params={"pair": "ETH/USDT"}).json()["prices"]
    assert [row["price"] for row in prices] == ["2000", "2400"]
    settings = told.get("/v1/market/settings", params={"scope": "ETH/USDT"}).json()["settings"]
    assert settings[0]["topic"] == "pair.listed"
    assert told.get("/v1/market/settings", params={"scope": "eth"}).status_code == 400


def test_a_book_of_the_house_has_a_statement(told: House) -> None:
    lines = told.get("/v1/reports/book", params={"book": "external", "asset": "BTC"}).json()["lines"]
    assert [(line["amount"], line["balance"]) for line in lines] == [("-5", "-5")]
