"""One example of every answer about the log's seal, as the documentation shows it; all of them are true of one log."""

ROOT = "Gybwv+IgM2727Eh4Ii+zXtNT9xG6LLx7bPCEX8rZ1Rc="
LEAF_HASH = "Az6mdup7JryPDzxIe7UrlysYa3M6AA1RH23Nl+iZD2U="
BEFORE = "haKaCJw5Fp/asRo1iOwIL/DfknHb4phO/wUDAq5FgHQ="
NOTE = (
    f"margin-ledger/ledger\n2\n{ROOT}\ntime 2020-03-12T10:46:00.000000Z\n\n"
    "\u2014 margin-ledger "
    "1dapUov/oCPOid+RioN6cLhZuH90qvnxgcBoN+UNLXbzOEytu9REJxIGR+ViBR/OOGWqy1E16/vj6TmpCD0haE7C8Ag=\n"
)
CHECKPOINT = {"size": 2, "root": ROOT, "checkpointed_at": "2020-03-12T10:46:00Z", "note": NOTE}
CHECKPOINTS = {"checkpoints": [CHECKPOINT], "next": None}
CHECKPOINT_KEYS = {
    "keys": [
        {
            "key_id": "d5d6a952",
            "public_key": "margin-ledger+d5d6a952+Aa7hNI6XKeN6LGacOnZE0vd62sxEOsXbvEUL7dpcn0P8",
            "added_at": "2020-03-12T10:46:00Z",
        }
    ]
}
INCLUSION = {
    "position": 2,
    "size": 2,
    "leaf": "AQAAAAAAAAACAAJDpNBPp4AAAAAAAAAAAQAAAANib2IAAAAOYWNjb3VudC5vcGVuZWQAAAACe30=",
    "leaf_hash": LEAF_HASH,
    "path": [BEFORE],
    "root": ROOT,
    "note": NOTE,
}
CONSISTENCY = {
    "from_size": 1,
    "to_size": 2,
    "path": [LEAF_HASH],
    "from_root": BEFORE,
    "root": ROOT,
    "note": NOTE,
}
