"""Answers composed of several projections, read as of one position in one snapshot."""
