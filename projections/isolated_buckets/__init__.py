"""Each isolated bucket as a whole: both its assets, its mode, leverage, tier, running liquidation and last call."""
