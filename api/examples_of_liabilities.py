"""One example of every answer about liabilities, as the documentation shows it; the proof is good."""

STANDING = "1042\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\ntime 2020-03-12T10:46:00.000000Z\n"
CHECKPOINT = (
    f"margin-ledger/ledger\n{STANDING}\n\u2014 margin-ledger "
    "pBTiCxyRTk3X9jDek0B9xJUA9EbQQJ+c4dxYbDJtFEpsQJvQNw/Qnp/YMsTsLn5/WwvzlcyjFrX0WjTCkSWCl0hHBQQ=\n"
)
ROOT, NO_LEAVES = "eOdpW57ACInY0p7fY1OEFmOD0IGGBxAa5T+wiVWdBHY=", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
NOTE = (
    f"margin-ledger/ledger liabilities\n{STANDING}sum-tree 1 sha-256 decimals 18 bits 256 parts 2\n"
    f"balances BTC {ROOT} 7 4\nloans BTC {NO_LEAVES} 0 0\n\n\u2014 margin-ledger "
    "pBTiC+XCBE50/aHjr6Whyjsmadkpuajuh9bmXHtpHMTKFgZzf/fFj+ByFB1RM+BbPaQ2GSw5Yiy9MbPeWhRSFu03oAg=\n"
)
PUBLICATION = {
    "size": 1042,
    "checkpointed_at": "2020-03-12T10:46:00Z",
    "checkpoint": CHECKPOINT,
    "note": NOTE,
    "trees": [
        {
            "kind": "balances",
            "asset": "BTC",
            "root": ROOT,
            "total": "7",
            "leaves": 4,
        },
        {
            "kind": "loans",
            "asset": "BTC",
            "root": NO_LEAVES,
            "total": "0",
            "leaves": 0,
        },
    ],
}
LIABILITIES = {"liabilities": [PUBLICATION], "next": None}
LIABILITY_PROOF = {
    "account_id": "alice",
    "size": 1042,
    "trees": [
        {
            "kind": "balances",
            "asset": "BTC",
            "amount": "5",
            "parts": [
                {
                    "salt": "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=",
                    "place": 3,
                    "amount": "3.14159265",
                    "path": [
                        {"hash": "zwad358wKU/hLpwGj3gIc9LpfGgjwXDqYv+bCRU0DrY=", "sum": "1"},
                        {"hash": "7Eg6KvY1ewqt17KySKI37vpuBUxtaIMYuVk712sJG4I=", "sum": "2.85840735"},
                    ],
                },
                {
                    "salt": "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE=",
                    "place": 1,
                    "amount": "1.85840735",
                    "path": [
                        {"hash": "IBaNklPmLKomQbz/7gU9egNFlMeOXmjr2kKNQbnVVnQ=", "sum": "1"},
                        {"hash": "snrMlWmg7Sk/+uU4h4EaL6YaCNZNVD49tKVWDEWzWqY=", "sum": "4.14159265"},
                    ],
                },
            ],
        }
    ],
}
