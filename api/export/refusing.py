"""The refusal of archives."""

from ledger.errors import StateRefusal


class ArchiveRefused(StateRefusal):
    """The sentence names the file and what is wrong with it."""

    code, title = "archive_refused", "The archive is not what it says, or does not belong here"
