"""The watch: all wallets that owe kept in memory, screened by floats on every tick, decided by exact decimals."""
