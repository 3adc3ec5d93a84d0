"""The doors of the ledger: HTTP, keys, the command line, and the loop that examines wallets; no rules live here."""
