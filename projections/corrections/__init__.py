"""Corrections: which events were reversed by which, and adjustments from their proposal to their end."""
