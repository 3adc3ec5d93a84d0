"""What the `ledger` command does, one module for each thing it can be asked."""
