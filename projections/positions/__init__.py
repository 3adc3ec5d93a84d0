"""What the trades of each margin wallet opened: quantity, cost and realised profit, now and after any event."""
