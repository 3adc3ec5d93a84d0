"""The cross pool of each account as a whole: its leverage, what it owes, its running liquidation, its last call."""
