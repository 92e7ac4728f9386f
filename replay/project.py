"""`replay init`: a project folder to start from."""

from __future__ import annotations

import shutil
from pathlib import Path

from replay.errors import UsageError

_TEMPLATES = Path(__file__).resolve().parent / "_project"
CONFIG_NAME = "replay.toml"


def create_project(folder: str | Path) -> list[Path]:
    """Write settings, a forecaster, a strategy and a README into a new or empty folder.

    Parameters
    ----------
    folder : path
        The folder to make.

    Returns
    -------
    list of Path
        The files written, sorted.

    Raises
    ------
    UsageError
        The folder exists and holds something.
    """
    from replay.config import Config

    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"`{folder}` is not empty; `replay init` starts with a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    for template in sorted(_TEMPLATES.glob("*.*")):
        shutil.copyfile(template, folder / template.name)
    (folder / CONFIG_NAME).write_text(Config().to_toml(), encoding="utf-8")
    return sorted(folder.iterdir())
