"""Every story is told on a fresh database and ends with the trial balance at zero."""

from tests.acceptance.telling import story

__all__ = ["story"]
