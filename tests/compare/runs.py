"""Complete run folders made by hand, over the same sessions or not."""

import json
from dataclasses import replace
from pathlib import Path

from replay.checklist import judge
from replay.summary import RunFacts, summarize
from replay.tables import write_tables
from tests.report.worlds import CONTEXT, Maker

CONFIG = {"gate": {"mode": "original", "rule": "quantile"}, "arbiter": {"mode": "original"}, "run": {"seed": 0}}
SESSION = "5e5510"


def write_run(
    folder: Path, *, seed: int = 7, session: str = SESSION, rows=None, band: str = "expected", context=CONTEXT, **modes: str
) -> Path:
    """Write a run; `modes` sets the mode of components."""
    folder.mkdir(parents=True)
    rows = Maker(seed).day() if rows is None else rows
    context = replace(context, band=band)
    write_tables(folder, rows, context)
    config = CONFIG | {name: CONFIG.get(name, {}) | {"mode": mode} for name, mode in modes.items()}
    inputs = {"sessions": [{"digest": session}], "forecasts": None, "symbols": None, "strategy": {"name": "", "digest": ""}}
    manifest = {
        "run_id": folder.name,
        "config": config,
        "config_digest": repr(config),
        "inputs": inputs,
        "journal_digest": f"{seed}-{modes}",
    }
    verification, alerts = judge(rows, context)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "summary.json").write_text(json.dumps(summarize(rows, context, RunFacts(run_id=folder.name))))
    (folder / "verification.json").write_text(json.dumps(verification))
    (folder / "events.log").write_text("".join(json.dumps(alert) + "\n" for alert in alerts))
    return folder
