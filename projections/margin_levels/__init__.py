"""Margin levels: the margin wallets that owe, as every event left them, and the levels that decisions recorded."""
