"""The demo: a seeded or a real market played through the real ledger, and the story of two traders in it."""
