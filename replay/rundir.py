"""Write a run folder from what the spool holds: tables, summary, verification, manifest, and what `verify` needs."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fills.delays import profile
from replay.cautions import cautions_of
from replay.checklist import InForce, judge
from replay.engine.spool import Spool, journal_digest
from replay.forms import breaker_events
from replay.orders import FILL, MARK, ORDER_LOG
from replay.setup import end_of_day, fees_of, horizons_of, info_of, trading_span
from replay.summary import RunFacts, summarize
from replay.tables import RunContext, RunRows, SessionSpan, write_tables
from replay.wording import et_stamp
from strategy.budget import message_limits
from strategy.decision import CYCLE, DECISION
from strategy.features import FEATURE_NAMES

if TYPE_CHECKING:
    from replay.config import Config
    from replay.engine.engine import Engine
    from replay.inputs import Inputs

DTYPES = {"decisions": DECISION, "orders": ORDER_LOG, "fills": FILL, "cycles": CYCLE, "marks": MARK}
JOURNAL = ("decisions", "orders", "fills", "cycles")  # marks are a picture of the input, not an outcome
_PACKAGES = ("ibkr-replay", "numpy", "numba", "pyarrow")


def write_run(
    folder: Path, inputs: Inputs, engine: Engine, spool: Spool, spooled: Path, *, wall_s: float, started_at: str
) -> None:
    """Write everything of a run but its report.

    Parameters
    ----------
    folder : Path
        Made here.
    spool : Spool
        Closed; its files lie in `spooled`.
    """
    folder.mkdir()
    (folder / "journal").mkdir()
    rows = RunRows(**{name: read_rows(spooled / f"{name}.rows", dtype) for name, dtype in DTYPES.items()})
    context = context_of(inputs)
    digests = {name: spool.digests.get(name, "") for name in JOURNAL}
    manifest = _manifest(inputs, engine, digests, wall_s, started_at)
    write_tables(folder, rows, context)
    write_json(folder / "summary.json", summarize(rows, context, _facts(inputs, engine, manifest)))
    verification, alerts = judge(rows, context, inputs.config.verification, _in_force(inputs.config))
    write_json(folder / "verification.json", verification)
    alerts = sorted(alerts + breaker_events(rows.decisions, context), key=lambda alert: int(alert["ts_ns"]))
    _write_alerts(folder / "events.log", alerts)
    write_json(folder / "journal" / "digests.json", digests)
    (folder / "journal" / "config.toml").write_text(inputs.config.to_toml())
    write_json(folder / "manifest.json", manifest)


def _in_force(config: Config) -> InForce:
    modes = {name: section.mode for name, section in config.sections.items() if hasattr(section, "mode")}
    return InForce(config.gate.rule == "mean_edge", message_limits(config.budget), modes)


def read_rows(path: Path, dtype: np.dtype[Any]) -> np.ndarray:
    """Map a spooled stream into memory."""
    if not path.is_file() or path.stat().st_size == 0:
        return np.zeros(0, dtype)
    return np.memmap(path, dtype, "r")


def context_of(inputs: Inputs) -> RunContext:
    """Collect the names that the integers of a run point into."""
    venue = inputs.config.venue
    return RunContext(
        symbols=tuple(inputs.symbol_index),
        venues=tuple(inputs.venue_index),
        scale=inputs.scale,
        horizons_min=tuple(int(h) for h in horizons_of(inputs)),
        feature_names=FEATURE_NAMES,
        sessions=tuple(_span(inputs, session) for session in inputs.sessions),
        multipliers=tuple(info_of(inputs, name).multiplier for name in inputs.symbol_index),
        band=venue.band if venue.rule == "queue" else venue.rule,
    )


def _span(inputs: Inputs, session: Any) -> SessionSpan:
    start_ns, end_ns = inputs.span_of(session)
    first, last = session.span_ns
    return SessionSpan(day=session.day.isoformat(), start_ns=max(first, start_ns or first), end_ns=min(last, end_ns or last))


def _manifest(inputs: Inputs, engine: Engine, digests: dict[str, str], wall_s: float, started_at: str) -> dict[str, Any]:
    events = engine.event_count
    named = inputs.manifest()
    digest = journal_digest(digests)
    return {
        "run_id": f"{inputs.sessions[0].day.isoformat()}-{_run_digest(inputs, named)[:10]}",
        "started_at": started_at,
        "config": inputs.config.values(),
        "config_digest": inputs.config.digest,
        "inputs": named,
        "seed": int(inputs.config.run.seed),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
        "journal_digest": digest,
        "events": events,
        "wall_s": round(wall_s, 6),
        "events_per_s": round(events / wall_s) if wall_s > 0 else 0,
    }


def _run_digest(inputs: Inputs, named: dict[str, Any]) -> str:
    """Digest what decides the outcome, wherever it lies on disk."""
    import hashlib

    content = {
        "config": inputs.config.digest,
        "sessions": [entry["digest"] for entry in named["sessions"]],
        "forecasts": named["forecasts"] and named["forecasts"]["digest"],
        "state_in": named["state_in"] and named["state_in"]["digest"],
        **({"tables": {name: file["digest"] for name, file in named["tables"].items()}} if named["tables"] else {}),
        "rest": [named["strategy"], named["symbols"], named["start"], named["end"]],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _facts(inputs: Inputs, engine: Engine, manifest: dict[str, Any]) -> RunFacts:
    legs = profile(inputs.config.latency)
    fees = _fee_facts(inputs, engine)
    return RunFacts(
        run_id=manifest["run_id"],
        journal_digest=manifest["journal_digest"],
        events=manifest["events"],
        wall_s=manifest["wall_s"],
        seed=manifest["seed"],
        equity_usd=inputs.config.run.equity_usd,
        latency_ns={f"{name}_ns": leg["p50_ns"] for name, leg in legs.items()},
        latency=legs,
        fees=fees,
        assumptions={
            "queue model": str(inputs.config.venue.queue),
            "fees": _fee_text(fees),
            "evidence": ", ".join(
                sorted({session.symbol_info(s).evidence for session in inputs.sessions for s in session.symbols})
            ),
            "hours": _hours(inputs),
            "forecasts": _forecast_source(inputs),
            **_early_end(inputs),
        },
        cautions=cautions_of(inputs),
    )


def _fee_facts(inputs: Inputs, engine: Engine) -> dict[str, Any]:
    """Return the plan, what was traded in the last day's month by then, and the rules in force that nobody confirmed."""
    row = engine.world.venue.fees[0]
    assumed = {name: None for session in inputs.sessions for name in fees_of(inputs, session).assumed}
    year, month = divmod(int(row["month"]), 100)
    return {
        "plan": inputs.config.fees.plan,
        "month": f"{year:04}-{month:02}",
        "month_qty": int(row["month_qty"]),
        "assumed": list(assumed),
    }


def _fee_text(fees: dict[str, Any]) -> str:
    """Say the plan, the volume that decides the next tier, and what is only assumed."""
    parts = [fees["plan"]]
    if fees["plan"] == "tiered":
        parts.append(f"{fees['month_qty']:,} shares in {fees['month']}")
    if fees["assumed"]:
        parts.append(f"only assumed: {' and '.join(fees['assumed'])}")
    return ", ".join(parts)


def _hours(inputs: Inputs) -> str:
    """Name the hours traded, and say when nothing was recorded in them."""
    name = str(inputs.config.run.hours)
    spans = [(trading_span(inputs, session), session.span_ns) for session in inputs.sessions]
    if any(first < close and last >= start for (start, close), (first, last) in spans):
        return name
    return f"{name}: nothing was recorded in them, --all-hours trades at any time"


def _forecast_source(inputs: Inputs) -> str:
    """Say where the forecasts came from."""
    if inputs.forecasts_path is not None:
        return inputs.forecasts_path.name
    if inputs.strategy is not None:
        return "own forecaster" if inputs.forecaster is not None else "none, an own strategy runs"
    has_quotes = any("quotes" in session.manifest.streams for session in inputs.sessions)
    return "built-in" if has_quotes else "none: the built-in forecaster needs quotes, the sessions hold none"


def _early_end(inputs: Inputs) -> dict[str, str]:
    """Say when, and why, the last day stopped before its close."""
    end_ns, why = end_of_day(inputs, inputs.sessions[-1])
    return {"ends": f"{et_stamp(end_ns + 1, digits=0)}: {why}"} if why else {}


def _write_alerts(path: Path, alerts: list[dict[str, Any]]) -> None:
    """Write a JSON line per check or breaker that changed for the worse, or recovered; an empty file is good news."""
    path.write_text("".join(json.dumps(alert, default=str) + "\n" for alert in alerts))


def write_json(path: Path, content: Any) -> None:
    """Write one of a run's JSON files; to a temporary name first."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(content, indent=1, default=str) + "\n")
    part.rename(path)
