"""Statements from outside: read from CSV, compared with the journal, and booked."""
