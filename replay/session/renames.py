"""Give finished folders their names, all of them or none; what stood there before goes only when all is in place."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path


def replace_all(moves: Sequence[tuple[Path, Path]]) -> None:
    """Rename each draft to its folder.

    Parameters
    ----------
    moves : sequence of (Path, Path)
        Draft and folder, on one file system; folders that exist are replaced.

    Raises
    ------
    OSError
        If a rename fails; those before it were undone.
    """
    begun: list[tuple[Path, Path, Path | None]] = []
    try:
        for draft, folder in moves:
            aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent)) if folder.exists() else None
            begun.append((draft, folder, aside))
            if aside is not None:
                folder.rename(aside / folder.name)
            draft.rename(folder)
    except OSError:
        for draft, folder, aside in reversed(begun):
            _undo(draft, folder, aside)
        raise
    for _, _, aside in begun:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)


def _undo(draft: Path, folder: Path, aside: Path | None) -> None:
    if folder.exists() and not draft.exists():
        folder.rename(draft)
    if aside is not None:
        if (aside / folder.name).exists():
            (aside / folder.name).rename(folder)
        aside.rmdir()
