"""Arguments that several commands share, and how their words become values."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from replay.errors import UsageError

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout; tables and progress go to stderr.")]
NoProgress = Annotated[bool, typer.Option("--no-progress", help="Show no progress bar.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Settings as TOML (see `replay config`).")]
Sets = Annotated[list[str] | None, typer.Option("--set", metavar="A.B=VALUE", help="Override one setting; may be repeated.")]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")]
SessionFolders = Annotated[list[Path], typer.Argument(metavar="SESSION...", help="Folders of sessions.")]

_NEW_YORK = ZoneInfo("America/New_York")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_moment(text: str, option: str) -> time | int:
    """Read a time of day in New York (`09:45`, each day anew) or an instant (`2013-10-07T09:45`, `...Z`, ns since 1970).

    A trailing `ET`, as this program prints it, is understood.

    Parameters
    ----------
    text : str
        What the user wrote; without an offset it is New York time.
    option : str
        Its name, for the message.

    Returns
    -------
    datetime.time or int
        A time of day, or nanoseconds UTC.

    >>> parse_moment("09:45", "--from")
    datetime.time(9, 45)
    >>> parse_moment("2013-10-07T09:45", "--from")
    1381153500000000000
    """
    plain = re.sub(r"^(\d):", r"0\1:", text.removesuffix("ET").strip())
    try:
        if re.fullmatch(r"\d{12,}", plain):
            return int(plain)
        return time.fromisoformat(plain) if re.fullmatch(r"\d\d:[\d:.]+", plain) else _instant_ns(plain)
    except ValueError as error:
        raise UsageError(
            f"{option} takes a New York time such as `09:45:30`, an instant such as `2013-10-07T09:45:30` (with `Z` or `-05:00` "
            f"for another zone), or ns since 1970, got `{text}`"
        ) from error


def moment_on(day: date, moment: time | int) -> int:
    """Return a moment as ns UTC: a time of day is taken on the given day in New York."""
    if isinstance(moment, int):
        return moment
    return _ns(datetime.combine(day, moment, tzinfo=_NEW_YORK))


def _instant_ns(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return _ns(moment if moment.tzinfo else moment.replace(tzinfo=_NEW_YORK))


def _ns(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def parse_day(text: str | None, option: str) -> date | None:
    """Read a calendar date.

    >>> parse_day("2013-10-07", "--date")
    datetime.date(2013, 10, 7)
    """
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise UsageError(f"{option} takes a date such as `2013-10-07`, got `{text}`") from error


def split_names(text: str | None) -> tuple[str, ...]:
    """Split `A,B` into names.

    >>> split_names("AAPL, MSFT")
    ('AAPL', 'MSFT')
    """
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())
