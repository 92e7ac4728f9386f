"""Where a command shall write: refused before the work, not after it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryFile

from replay.errors import UsageError
from replay.result import is_run_folder, refuse_stranger


def check_run_folder(out: Path, *, is_overwriting: bool) -> None:
    """Refuse a folder that cannot take a run, or that holds one which nobody asked to replace.

    Raises
    ------
    UsageError
        With what to do instead.
    """
    refuse_stranger(out)
    if is_run_folder(out) and not is_overwriting:
        raise UsageError(f"`{out}` holds an older run; choose another --out, or add --overwrite to replace it")
    check_writable(out, "--out")


def check_comparison_folder(out: Path, *, is_overwriting: bool) -> None:
    """Refuse a folder that holds a comparison, or runs of one, which nobody asked to replace.

    Raises
    ------
    UsageError
        With what to do instead.
    """
    is_taken = (out / "compare.html").is_file() or any(is_run_folder(out / name) for name in ("a", "b"))
    if is_taken and not is_overwriting:
        raise UsageError(f"`{out}` holds an older comparison; choose another --out, or add --overwrite to replace it")
    check_writable(out, "--out")


def check_writable(path: Path, option: str) -> None:
    """Refuse a path that nothing can be written to, by writing to the folder that is there.

    Raises
    ------
    UsageError
        With the reason of the operating system.
    """
    there = next(parent for parent in path.absolute().parents if parent.exists())
    try:
        with TemporaryFile(dir=there):
            return
    except OSError as error:
        raise UsageError(f"`{path}` cannot be written: {error.strerror} (`{there}`); choose another {option}") from None
