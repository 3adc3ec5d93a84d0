"""The journal and the log written for others: plain-text accounting, and an archive that a ledger comes back from."""
