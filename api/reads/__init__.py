"""Who looked: reads of customers' data, logged before they are answered, and the questions about that log."""
