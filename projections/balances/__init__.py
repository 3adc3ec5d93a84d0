"""What each wallet has and owes of each asset, now and after any event."""
