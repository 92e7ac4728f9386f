"""The tables of a run: structured arrays of the engine become the Parquet files that people open.

Names replace numbers, dollars replace integer prices, and what is unknown is null (or NaN), never 0. The two exceptions keep
their column an integer in pandas: `ack_ts_ns` is 0 until the ack came, `perm_id` is 0 in replay. Each table carries the
`RunContext` in its schema, so that a single file can be read without the rest of the run.

The outcome of a decision, its round trips, positions and the profit over time are computed here from fills and marks (`ledger`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from replay import ledger
from replay.errors import DataError, UsageError
from replay.orders import Evidence, Liquidity, OrderReason, OrderType, Side, State, Tif
from replay.session.arrays import arrow_numbers, arrow_texts, arrow_words
from strategy.decision import Reason

if TYPE_CHECKING:
    import pyarrow as pa

CONTEXT_KEY = b"replay.context"
ROWS_PER_GROUP = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSpan:
    """The stretch of one session that was replayed.

    Parameters
    ----------
    day : str
        Trading date, YYYY-MM-DD.
    start_ns, end_ns : int
        From where to where (ns UTC); outcomes and markouts do not look beyond `end_ns`.
    """

    day: str
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """What turns codes into words: the tables that the engine's integers point into.

    Parameters
    ----------
    symbols, venues : tuple of str
        Names by index.
    horizons_min : tuple of int
        Horizon of each weight, in minutes.
    feature_names : tuple of str
        Name of each feature.
    scale : int
        Price units per dollar.
    sessions : tuple of SessionSpan
        What was replayed, in order of date.
    band : str
        Which reading of the recording made these fills (`[venue] band`; `ibkr-paper` where that rule did).
    multipliers : tuple of int
        Dollars per dollar of price of one unit, by symbol; empty for 1 throughout.
    """

    symbols: tuple[str, ...]
    horizons_min: tuple[int, ...]
    feature_names: tuple[str, ...]
    venues: tuple[str, ...] = ()
    scale: int = 10_000
    sessions: tuple[SessionSpan, ...] = ()
    band: str = "expected"
    multipliers: tuple[int, ...] = ()

    def multiplier_of(self, symbols: np.ndarray | int) -> Any:
        """Return the multiplier of symbols by index."""
        return np.array(self.multipliers or [1] * len(self.symbols), np.int64)[symbols]

    def units_per_usd(self, symbols: np.ndarray | int) -> Any:
        """Return what `price units x quantity` must be divided by to be dollars, by symbol."""
        return self.scale / self.multiplier_of(symbols)

    def to_json(self) -> str:
        """Write the context as one JSON object."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> RunContext:
        """Read what `to_json` wrote."""
        raw = json.loads(text)
        spans = tuple(SessionSpan(**span) for span in raw.pop("sessions"))
        rest: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
        return cls(sessions=spans, **rest)


class RunRows(NamedTuple):
    """All rows of a run; memory-mapped arrays are welcome."""

    decisions: np.ndarray  # DECISION, by decision_id
    orders: np.ndarray  # ORDER_LOG, by time
    fills: np.ndarray  # FILL, by time
    cycles: np.ndarray  # CYCLE
    marks: np.ndarray  # MARK, by time within each symbol


def write_tables(folder: Path, rows: RunRows, context: RunContext) -> None:
    """Write every Parquet file of a run folder, long tables in row groups.

    Parameters
    ----------
    folder : Path
        The run folder; it must exist.
    rows : RunRows
        What the engine left.
    context : RunContext
        Names and scale.
    """
    outcome = ledger.outcomes(rows.decisions, ledger.Mids(rows.marks), context)

    def decisions(part: slice) -> pa.Table:
        return decisions_table(rows.decisions[part], context, outcome[part])

    _write(folder / "decisions.parquet", decisions, len(rows.decisions))
    _write(folder / "orders.parquet", lambda part: orders_table(rows.orders[part], context), len(rows.orders))
    _write(folder / "marks.parquet", lambda part: marks_table(rows.marks[part], context), len(rows.marks))
    _write(folder / "cycles.parquet", lambda part: cycles_table(rows.cycles[part], context), len(rows.cycles))
    _write(folder / "fills.parquet", lambda part: fills_table(rows.fills[part], context, part.start), len(rows.fills))
    whole = {
        "round_trips": round_trips_table(rows, context),
        "positions": positions_table(rows, context),
        "equity": equity_table(rows, context),
    }
    for name, table in whole.items():
        _write(folder / f"{name}.parquet", lambda part, table=table: table[part.start : part.stop], len(table))  # type: ignore[misc]


def read_context(folder: Path) -> RunContext:
    """Read the context that the tables of a run folder carry."""
    import pyarrow.parquet as pq

    path = folder / "decisions.parquet"
    if not folder.exists():
        raise UsageError(f"there is no run {folder}; `replay run` prints where a run lies")
    if not path.is_file():
        raise DataError(f"`{folder}` is no run folder: decisions.parquet is missing; give the folder that `replay run` printed")
    metadata = pq.read_schema(path).metadata or {}
    if CONTEXT_KEY not in metadata:
        raise DataError(f"`{path}` was not written by this program: its schema lacks {CONTEXT_KEY.decode()!r}")
    return RunContext.from_json(metadata[CONTEXT_KEY])


def decisions_table(rows: np.ndarray, context: RunContext, outcome_bps: np.ndarray | None = None) -> pa.Table:
    """Convert DECISION rows; `weights` is a list in the order of the horizons, `features` a struct by name."""
    import pyarrow as pa

    n_horizons = len(context.horizons_min)
    plain = {name: rows[name] for name in _DECISION_NUMBERS}
    plain |= {name: np.where(rows["horizon_min"] > 0, rows[name], np.nan) for name in _OF_HORIZON}
    plain["net_edge_bps"] = np.where(rows["horizon_min"] > 0, np.abs(rows["mu_bps"]) - rows["cost_bps"], np.nan)
    columns = {
        "decision_id": rows["decision_id"],
        "ts_ns": rows["ts_ns"],
        "cycle": rows["cycle"],
        "symbol": _words(rows["symbol"], dict(enumerate(context.symbols))),
        "reason": _words(rows["reason"], {int(r): r.name for r in Reason}),
        "reason_code": rows["reason"],
        "side": _words(rows["side"], {int(s): s.name for s in Side}),
        **plain,
        "mid": _mid_usd(rows["mid2"], context),
        "spread": rows["spread"] / context.scale,
        "weights": pa.FixedSizeListArray.from_arrays(arrow_numbers(rows["weights"][:, :n_horizons].ravel()), n_horizons),
        "features": _struct(rows["features"], context.feature_names),
        "is_stale": rows["is_stale"] != 0,
        "outcome_bps": np.full(len(rows), np.nan) if outcome_bps is None else outcome_bps,
        "shadow_reason": _words(rows["shadow_reason"], {int(r): r.name for r in Reason}),
        "shadow_target_qty": arrow_numbers(rows["shadow_target_qty"], rows["shadow_reason"] >= 0),
        "shadow_horizon_min": arrow_numbers(rows["shadow_horizon_min"], rows["shadow_reason"] >= 0),
    }
    return _table(columns, context)


def orders_table(rows: np.ndarray, context: RunContext) -> pa.Table:
    """Convert ORDER_LOG rows, one per change of state."""
    numbers = ("qty", "filled_qty", "leaves_qty")
    columns = {
        **{name: rows[name] for name in ("ts_ns", "order_id", "parent_id", "decision_id", "slice")},
        "order_ref": _order_refs(rows),
        "perm_id": np.zeros(len(rows), np.int64),
        "symbol": _words(rows["symbol"], dict(enumerate(context.symbols))),
        "side": _words(rows["side"], {int(s): s.name for s in Side}),
        "type": _words(rows["type"], {int(t): t.name for t in OrderType}),
        "limit_price": np.where(rows["limit_price"] == 0, np.nan, rows["limit_price"] / context.scale),
        **{name: rows[name] for name in numbers},
        "tif": _words(rows["tif"], {int(t): t.name for t in Tif}),
        "work_ns": rows["work_ns"],
        "state": _words(rows["state"], {int(s): s.name for s in State}),
        "ack_ts_ns": rows["ack_ts_ns"],
        "ahead_qty_simulated": _known(rows["ahead_qty_simulated"]),
        "ahead_qty_estimated": _known(rows["ahead_qty_estimated"]),
        "reason": _words(rows["reason"], {int(r): r.name for r in OrderReason if r}),
        "reason_code": rows["reason"],
    }
    return _table(columns, context)


def fills_table(rows: np.ndarray, context: RunContext, first_fill_id: int = 0) -> pa.Table:
    """Convert FILL rows; `fill_id` counts from `first_fill_id`."""
    n = len(rows)
    columns = {
        "fill_id": np.arange(first_fill_id, first_fill_id + n),
        "exec_id": arrow_texts([""] * n),
        **{name: rows[name] for name in ("ts_ns", "order_id", "decision_id")},
        "symbol": _words(rows["symbol"], dict(enumerate(context.symbols))),
        "side": _words(rows["side"], {int(s): s.name for s in Side}),
        "price": rows["price"] / context.scale,
        "qty": rows["qty"],
        "liquidity": _words(rows["liquidity"], {int(x): x.name for x in Liquidity}),
        "venue": _words(rows["venue"], dict(enumerate(context.venues))),
        "fee_usd": rows["fee_micros"] / 1e6,
        "fee_reported_usd": np.full(n, np.nan),
        "rule": rows["rule"],
        "evidence": _words(rows["evidence"], {int(e): e.name.lower() for e in Evidence}),
        "ahead_qty_before": _known(rows["ahead_qty_before"]),
        "ahead_qty_after": _known(rows["ahead_qty_after"]),
        "latency_ns": rows["latency_ns"],
        **{f"mid_at_{when}": _mid_usd(rows[f"mid2_at_{when}"], context) for when in ("decision", "arrival", "fill")},
        "source_seq": rows["source_seq"],
        "band": arrow_texts([context.band] * n),
    }
    return _table(columns, context)


def cycles_table(rows: np.ndarray, context: RunContext) -> pa.Table:
    """Convert CYCLE rows; the names are those of the dtype."""
    return _table({name: rows[name] for name in rows.dtype.names or ()}, context)


def marks_table(rows: np.ndarray, context: RunContext) -> pa.Table:
    """Convert MARK rows; an empty side is NaN."""
    columns = {
        "ts_ns": rows["ts_ns"],
        "symbol": _words(rows["symbol"], dict(enumerate(context.symbols))),
        "bid": np.where(rows["bid"] > 0, rows["bid"] / context.scale, np.nan),
        "ask": np.where(rows["ask"] > 0, rows["ask"] / context.scale, np.nan),
    }
    return _table(columns, context)


def round_trips_table(rows: RunRows, context: RunContext) -> pa.Table:
    """Compute round trips (flat to flat) with what the entry decision had promised."""
    trips = ledger.round_trips(rows.fills, ledger.Mids(rows.marks))
    entry = ledger.decisions_of(trips["decision_id"], rows.decisions)
    closing = ledger.decisions_of(trips["exit_decision_id"], rows.decisions)
    units = context.units_per_usd(trips["symbol"])
    columns = {
        "round_trip_id": np.arange(len(trips)),
        "symbol": _words(trips["symbol"], dict(enumerate(context.symbols))),
        "side": _words(trips["side"], {int(s): s.name for s in Side}),
        **{name: trips[name] for name in ("entry_ts_ns", "exit_ts_ns", "qty")},
        **{name: trips[name] / context.scale for name in ("entry_price", "exit_price")},
        "gross_usd": trips["gross_usd"] / units,
        "fee_usd": trips["fee_usd"],
        "net_usd": trips["gross_usd"] / units - trips["fee_usd"],
        "net_bps": ledger.net_bps(trips, units),
        "worst_bps": trips["worst_bps"],
        "best_bps": trips["best_bps"],
        "edge_bps": ledger.edge_bps(trips, rows.decisions),
        **{name: trips[name] for name in ("decision_id", "exit_decision_id")},
        "exit_reason": _words(closing["reason"], {int(r): r.name for r in Reason}),
        "horizon_min": entry["horizon_min"],
        "is_stale": entry["is_stale"] != 0,
    }
    return _table(columns, context)


def positions_table(rows: RunRows, context: RunContext) -> pa.Table:
    """Compute what each traded symbol held at the end of each session, and its profit since the start of the run."""
    held = ledger.positions(rows.fills, ledger.Mids(rows.marks), context)
    columns = {
        "day": _words(held["session"], {i: span.day for i, span in enumerate(context.sessions)}),
        "ts_ns": held["ts_ns"],
        "symbol": _words(held["symbol"], dict(enumerate(context.symbols))),
        "qty": held["qty"],
        "average_price": held["average_price"] / context.scale,
        "mid": held["mid"] / context.scale,
        "realized_usd": held["realized_usd"],
        "unrealized_usd": held["unrealized_usd"],
        "fee_usd": held["fee_usd"],
        "net_usd": held["realized_usd"] + held["unrealized_usd"] - held["fee_usd"],
    }
    return _table(columns, context)


def equity_table(rows: RunRows, context: RunContext) -> pa.Table:
    """Compute profit marked to mid at every fill and every minute, with its drawdown."""
    path = ledger.equity(rows.fills, ledger.Mids(rows.marks), context)
    return _table({name: path[name] for name in path.dtype.names or ()}, context)


_DECISION_NUMBERS = (
    "horizon_min", "forecast_id", "p_peak", "p_valley", "quality", "target_qty", "position_qty", "plan_id",
    "quote_age_ns", "forecast_age_ns", "status", "fallback", "breaker",
    "as_original",
    "risk_limit", "risk_unknown",
)  # fmt: skip
_OF_HORIZON = (  # unknown where no horizon was looked at
    "mu_bps", "sigma_bps", "q_lo_bps", "q_hi_bps", "gate_lo_bps", "gate_hi_bps", "edge_needed_bps",
    "mean_edge_bps",
    "cost_bps", "cost_spread_bps", "cost_vol_bps", "cost_impact_bps", "cost_fee_bps", "cost_residual_bps",
)  # fmt: skip


def _table(columns: Mapping[str, Any], context: RunContext) -> pa.Table:
    import pyarrow as pa

    arrays = {name: arrow_numbers(c) if isinstance(c, np.ndarray) else c for name, c in columns.items()}
    return pa.table(arrays).replace_schema_metadata({CONTEXT_KEY: context.to_json().encode()})


def _words(codes: np.ndarray, words: Mapping[int, str]) -> pa.Array:
    """Replace codes by their words; an unknown code gives an empty string."""
    keys = np.array(sorted(words), np.int64)
    if not len(keys):
        return arrow_texts([""] * len(codes))
    place = np.minimum(np.searchsorted(keys, codes), len(keys) - 1)
    return arrow_words(np.where(keys[place] == codes, place, len(keys)), [*(words[int(k)] for k in keys), ""])


def _struct(matrix: np.ndarray, names: tuple[str, ...]) -> pa.Array:
    import pyarrow as pa

    arrays = [arrow_numbers(matrix[:, k]) for k in range(len(names))]
    return pa.StructArray.from_arrays(arrays, names=list(names))


def _known(quantity: np.ndarray) -> pa.Array:
    return arrow_numbers(quantity, quantity >= 0)


def _order_refs(rows: np.ndarray) -> pa.Array:
    parts = zip(rows["decision_id"].tolist(), rows["parent_id"].tolist(), rows["slice"].tolist(), strict=True)
    return arrow_texts([f"d{decision}.p{parent}.s{slice_no}" for decision, parent, slice_no in parts])


def _mid_usd(mid2: np.ndarray, context: RunContext) -> np.ndarray:
    return np.where(mid2 > 0, mid2 / (2 * context.scale), np.nan)


def _parts(n_rows: int) -> Iterator[slice]:
    for start in range(0, max(n_rows, 1), ROWS_PER_GROUP):
        yield slice(start, min(start + ROWS_PER_GROUP, n_rows))


def _write(path: Path, make: Callable[[slice], pa.Table], n_rows: int) -> None:
    import pyarrow.parquet as pq

    parts = _parts(n_rows)
    first = make(next(parts))
    with pq.ParquetWriter(path, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for part in parts:
            writer.write_table(make(part))
