"""The doors of the ledger: HTTP, keys, the command line, and the risk engine; no rules live here."""
