"""Why a command did nothing."""


class CommandRefusedError(Exception):
    """One sentence for whoever gave the command."""
