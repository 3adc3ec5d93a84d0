"""One example of every answer about the log's seal, as the documentation shows it; all of them are true of one log."""

ROOT = "ObVE/N4RkdmYN111t2vFXGKlieb4JOs163OKYc2GjMY="
LEAF_HASH = "c6cwI5DYsfWf5EdI2NBABZcKvmfI6ziRTTeSMS6jaAw="
BEFORE = "RSokyC+mVU7xGvr5bHDHGycbvzZJY+wR/qud+BhDZDM="
NOTE = (
    f"margin-ledger/ledger\n2\n{ROOT}\ntime 2020-03-12T10:46:00.000000Z\n\n"
    "\u2014 margin-ledger "
    "27UABBGcRS5yBOZrpbgpytZZ3yvg0GcCcb2vU/qxz+VTqyNv0Fh5N3ZBsKjtNAdscqc+C3qRPpDUu+GSr+DcsTY0zgc=\n"
)
CHECKPOINT = {"size": 2, "root": ROOT, "checkpointed_at": "2020-03-12T10:46:00Z", "note": NOTE}
CHECKPOINTS = {"checkpoints": [CHECKPOINT], "next": None}
CHECKPOINT_KEYS = {
    "keys": [
        {
            "key_id": "dbb50004",
            "public_key": "margin-ledger+dbb50004+Ad9jvSAN2kTjj3/N9uVVR1fi/9aidzyKHhhCnJKajN63",
            "added_at": "2020-03-12T10:46:00Z",
        }
    ]
}
INCLUSION = {
    "position": 2,
    "size": 2,
    "leaf": "AAYAAAAIAAAAAAAAAAIAAAAIAAJDpNBPp4AAAAAIAAAAAAAAAAEAAAADYm9iAAAADmFjY291bnQub3BlbmVkAAAAAnt9",
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
