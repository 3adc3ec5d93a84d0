"""The trial balance: what each kind of book holds of each asset; every asset sums to zero at every position."""
