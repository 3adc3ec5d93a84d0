"""The read side: one folder for each question, fed with the log's events in order and rebuildable from nothing."""
