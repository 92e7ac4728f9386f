"""placeholder"""
from dataclasses import dataclass

from replay.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationSettings:
    """Settings of the checklist."""

    every_cycles: int = setting(100, "cycles between two checks", ge=1)
