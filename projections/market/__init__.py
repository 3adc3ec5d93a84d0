"""The market: listings, limits, rates and mark prices, as they were at any position."""
