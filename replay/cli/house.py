"""`replay init`, `replay config` and `replay doctor`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from replay.cli.options import ConfigFile, Json, Sets
from replay.cli.output import print_json, say, stdout


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make; it must be new or empty.")],
    is_json: Json = False,
) -> None:
    """Make a project folder: settings with comments, a forecaster, a strategy, and what to do next."""
    from replay.project import create_project

    files = create_project(folder)
    if is_json:
        print_json({"folder": folder, "files": files})
        return
    stdout().print(f"made {folder} with")
    for file in files:
        stdout().print(f"  {file.relative_to(folder)}")
    stdout().print(f"next: read {folder / 'README.md'}")


def config(
    file: ConfigFile = None,
    sets: Sets = None,
    is_defaults: Annotated[bool, typer.Option("--defaults", help="Show the defaults, whatever a file says.")] = False,
    has_comments: Annotated[bool, typer.Option("--comments/--no-comments", help="Say unit and meaning of every key.")] = True,
    is_json: Json = False,
) -> None:
    """Print the effective settings as TOML, with unit, meaning and bounds of every key."""
    from replay.config import Config

    settings = Config() if is_defaults or file is None else Config.load(file)
    settings = settings if is_defaults else settings.with_sets(sets or [])
    if is_json:
        print_json({"digest": settings.digest, "config": settings.values()})
    else:
        say(settings.to_toml(with_comments=has_comments), has_end=False)


def doctor(is_json: Json = False) -> None:
    """Say what is installed, where compiled kernels lie, what is wrong and how to mend it; exit 1 if something is broken."""
    from replay.doctor import examine

    findings = examine()
    broken = [finding for finding in findings if finding.state == "broken"]
    if is_json:
        print_json({"is_healthy": not broken, "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            say(f"{finding.state:<7} {finding.name:<19} {finding.value}")
            if finding.remedy:
                say(f"{'':<27} to mend it: {finding.remedy}")
        say(f"{len(broken)} broken" if broken else "nothing is broken")
    if broken:
        raise typer.Exit(1)
