"""Liquidations and margin calls: what was started, filled and covered, and what the insurance fund could not pay."""
