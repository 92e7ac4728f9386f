"""The sessions of one import in the making: at the end all of them get their names, or none does."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from replay.errors import ExternalError
from replay.importers.imported import ASSUMED

if TYPE_CHECKING:
    from replay.importers.imported import Imported


class Staging:
    """A hidden folder beside the sessions to be.

    Parameters
    ----------
    out : Path
        Receives the sessions, `out/YYYY-MM-DD`; it is made where it is missing, and goes again where nothing comes of it.
    calendar : str, optional
        Calendar of the trading hours; `24/7` takes its place on days on which it does not trade, and the notes say so.
    """

    def __init__(self, out: Path, calendar: str = "") -> None:
        self._out = out
        self._calendar = calendar
        self._made = [folder for folder in (out, *out.parents) if not folder.exists()]
        self._draft: Path | None = None
        self._days: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._draft is not None:
            shutil.rmtree(self._draft, ignore_errors=True)
        for folder in self._made:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def write(self, imported: Imported) -> None:
        """Write one date under a hidden name, unless its own name is taken by a stranger."""
        from replay.session.build import write_session
        from replay.session.writer import check_target

        day = imported.day.isoformat()
        check_target(self._out / day, imported.source, imported.day)
        if self._draft is None:
            self._out.mkdir(parents=True, exist_ok=True)
            self._draft = Path(tempfile.mkdtemp(prefix=".import-", dir=self._out))
        frames: dict[str, Any] = dict(imported.frames)
        known: dict[str, Any] = {"day": imported.day, "symbols": imported.symbols, "source": imported.source}
        calendar, notes = self._hours_of(imported)
        write_session(self._draft / day, **known, **frames, scale=imported.scale, notes=notes, calendar=calendar)
        self._days.append(day)

    def _hours_of(self, imported: Imported) -> tuple[str | None, dict[str, object]]:
        from replay.calendar import CONTINUOUS, is_trading_day, known_calendar

        notes = dict(imported.notes)
        if not self._calendar:
            return None, notes
        name = known_calendar(self._calendar)
        if is_trading_day(imported.day, name):
            return name, notes
        said = notes.get(ASSUMED, [])
        closed = f"{name} does not trade on {imported.day}: the hours of that day are {CONTINUOUS}; --calendar changes that"
        return CONTINUOUS, {**notes, ASSUMED: [*(said if isinstance(said, list) else []), closed]}

    def publish(self) -> list[Path]:
        """Give all dates their names; return their folders.

        Raises
        ------
        ExternalError
            If the system refuses; nothing was changed then.
        """
        from replay.session.renames import replace_all

        if self._draft is None:
            return []
        folders = [self._out / day for day in self._days]
        try:
            replace_all([(self._draft / folder.name, folder) for folder in folders])
        except OSError as error:
            raise ExternalError(f"{self._out} cannot be written ({error}); nothing was changed") from None
        return folders
