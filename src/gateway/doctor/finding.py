"""What an examination brings to light."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `remedy`: a command or SQL that mends it; None when nothing is wrong."""

    subject: str
    observation: str
    remedy: str | None = None
