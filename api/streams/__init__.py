"""Streams of server-sent events: the log's end as it grows, margin levels as they change, and the lines to readers."""
