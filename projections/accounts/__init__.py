"""Accounts: status, blocks, modes, leverages, versions; and their holds and withdrawals."""
