"""Put the page of a run together: tables as HTML, charts as data and script, all in one file."""

from __future__ import annotations

import json
import re
from html import escape
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from replay.errors import DataError
from replay.report import sections
from replay.report.drawing import draw
from replay.report.panes import RunTables, chart_data
from replay.summary_view import form_lines, headline, is_fine
from replay.tables import RunContext, read_context

LARGE_BYTES = 20_000_000
_HINT = "Charts that zoom need the package uplot-python: pip install 'ibkr-replay[report]', then replay again."


def write_report(run_dir: Path | str) -> Path:
    """Write `report.html` into a run folder.

    Parameters
    ----------
    run_dir : Path
        A run folder with its tables, `manifest.json` and `summary.json`.

    Returns
    -------
    Path
        The page. It opens from disk and loads nothing.
    """
    folder = Path(run_dir)
    context = read_context(folder)
    tables = RunTables.read(folder)
    summary = _read_json(folder / "summary.json")
    checks = _checks(folder / "verification.json")
    parts = {
        "TITLE": escape(_title(summary)),
        "RUN": escape(summary["run_id"] or folder.name),
        "CAUTIONS": sections.cautions(summary),
        "CARDS": sections.cards(summary),
        "GATE": "<br>".join(escape(line) for line in (headline(summary), *form_lines(summary))),
        "MOOD": "fine" if is_fine(summary) else "alarm",
        "SUMMARY": sections.summary_table(summary),
        "SYMBOLS": sections.symbols(summary),
        "BANDS": sections.bands(summary),
        "STOPS": sections.stops(summary),
        "FILLS": sections.fills(tables.fills),
        "RULES": sections.rules(summary),
        "ROUND_TRIPS": sections.round_trips(tables.round_trips),
        "VERIFICATION": sections.verification(checks),
        "MANIFEST": sections.manifest(_read_json(folder / "manifest.json")),
        **_chart_parts(tables, context, summary),
    }
    path = folder / "report.html"
    path.write_text(fill_in(_asset("page.html"), parts), encoding="utf-8")
    return path


def fill_in(template: str, parts: dict[str, str]) -> str:
    """Replace `{{NAME}}` by its part, in one pass, so that what is put in is never read again."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template)


def chart_library() -> tuple[str, str] | None:
    """Return script and style of the chart library, or None where it is not installed."""
    spec = find_spec("uplot")
    if spec is None or not spec.submodule_search_locations:
        return None
    static = Path(next(iter(spec.submodule_search_locations))) / "static"
    script, style = static / "uPlot.iife.js", static / "uPlot.min.css"
    if not (script.is_file() and style.is_file()):
        return None
    return script.read_text(encoding="utf-8"), style.read_text(encoding="utf-8")


def _chart_parts(tables: RunTables, context: RunContext, summary: dict[str, Any]) -> dict[str, str]:
    library = chart_library()
    script, style = library or ("", "")
    data = chart_data(tables, context) if library else {"symbols": [], "days": [], "scale": context.scale}
    expected = {"fills": summary["fills"], "orders": summary["orders"], "net_usd": summary["net_usd"]}
    payload = _script_json({**data, "expected": expected, "has_charts": library is not None})
    note = _HINT if library is None else ""
    if len(payload) > LARGE_BYTES:
        note = f"This page holds {len(payload) / 1e6:.0f} MB of price path; fewer symbols or days in one run open faster."
    return {
        "STYLE": style + _asset("page.css"),
        "LIBRARY": script,
        "SCRIPT": "".join(_asset(f"{name}.js") for name in ("decode", "axis", "charts", "page")),
        "DATA": payload,
        "DRAWING": "" if library else draw(tables, context),
        "NOTE": escape(note),
    }


def _script_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _title(summary: dict[str, Any]) -> str:
    days, names = summary["sessions"], summary["symbols"]
    when = f"{days[0]} to {days[-1]}" if len(days) > 1 else "".join(days)
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"{', '.join(names[:8])}{more} | {when}"


def _checks(path: Path) -> list[dict[str, Any]]:
    found = _read_json(path) if path.is_file() else []
    checks: list[dict[str, Any]] = found["checks"] if isinstance(found, dict) else found
    return checks


def _read_json(path: Path) -> Any:
    if not path.is_file():
        raise DataError(
            f"`{path.parent}` is not a complete run: {path.name} is missing; give the folder that `replay run` printed"
        )
    return json.loads(path.read_text(encoding="utf-8"))


def _asset(name: str) -> str:
    return files("replay.report").joinpath(name).read_text(encoding="utf-8")
