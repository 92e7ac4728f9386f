"""`replay init`: a project folder to start from."""

from __future__ import annotations

import shutil
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from replay.errors import UsageError

_TEMPLATES = Path(__file__).resolve().parent / "_project"
CONFIG_NAME = "replay.toml"
ENHANCED_NAME = "enhanced.toml"


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
    (folder / ENHANCED_NAME).write_text(enhanced_toml(), encoding="utf-8")
    return sorted(folder.iterdir())


def enhanced_toml() -> str:
    """Return settings in which every component that has an enhanced form acts in it.

    >>> enhanced_toml().splitlines()[2:4]
    ['[staleness]', 'mode = "enhanced"']
    """
    from replay.config import Config
    from strategy.modes import MODES

    sections = Config().sections.items()
    names = [name for name, section in sections if any(_is_form(field, MODES) for field in fields(section))]
    head = "# Every component in its enhanced form; delete a section, or set its mode, to go back to the original.\n"
    return head + "".join(f'\n[{name}]\nmode = "enhanced"\n' for name in names)


def _is_form(field: Field[Any], modes: tuple[str, ...]) -> bool:
    """Tell whether a setting chooses between the original and the enhanced form of a component."""
    return field.name == "mode" and field.metadata.get("choices") == modes
