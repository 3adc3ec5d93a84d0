"""The watch measured: a million wallets in memory, ticks and changes, beside the exact loop."""
