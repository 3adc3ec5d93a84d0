"""Statements as documents: the same bytes whenever they are asked for, as JSON, as CSV and as a page to print."""
