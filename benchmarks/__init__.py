"""Benchmarks: what the ledger costs, measured against something that a reader can name."""
