"""Loans: what every wallet owes of each asset, until which hour it is charged, and what it was charged in all."""
