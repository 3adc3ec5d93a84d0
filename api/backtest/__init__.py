"""The backtest: a seeded population of traders put through real falls of prices, and what became of it day by day."""
