"""The journal: every line that was ever posted, with the balance it left its book at."""
