"""The audit trail: who did what and when, an index of every event of the log."""
