"""Score the simulator against own orders: what they really got beside what a shadow order gets.

Orders of real accounts calibrate queue models. IBKR's paper accounts fill from the top of book, not from a queue: their orders
say something about plumbing and latency only, and are reported apart. A replayed run is scored against itself, as a check.

Where an order was really displayed (live), the recorded book holds it, and its shadow is hidden as that of any real order. A
paper or replayed order never stood in the book.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fills.given import ticks_at
from replay.errors import DataError, UsageError
from replay.session import Session
from replay.validation.flex import PAPER, read_flex
from replay.validation.outcomes import SAME_NS, Verdict, judge
from replay.validation.own_runs import check_replayed, read_run
from replay.validation.plays import Progress, name_models
from replay.validation.shadows import NEVER_NS, PATIENCE_NS, gathered

if TYPE_CHECKING:
    import pandas as pd

NOTES = {
    "paper": "paper: IBKR's paper accounts fill from the top of book; they calibrate plumbing and latency, not queue fills.",
    "replay": "replay: orders of a replayed run, scored against the same simulator, each by itself: differences are those of "
    "settings, and of displayed size that another own order had taken.",
    "live": "live: the recorded book holds the order; its shadow's leaves are taken out of the displayed size.",
}
FLEX_NOTE = (
    "Flex tells what was filled, in whole seconds, and neither limits nor cancels: the limit is taken to be the worst price "
    "paid, orders without a fill are not there to be filled wrongly, and the same instant means within a second."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnValidation:
    """What came out of `validate_executions`.

    Parameters
    ----------
    orders : pandas.DataFrame
        A row per own order: what it was, what it got, whose it was (`live`, `paper`, `replay`).
    shadows : pandas.DataFrame
        A row per order and model: `model, order_ref, filled_qty, fill_ns, fill_price, verdict, error_s, price_bps` (positive: the
        shadow paid more, or got less).
    scores : pandas.DataFrame
        `model, account_kind, orders, filled, same, earlier, later, never, wrong, error_p50_s, error_p90_s, price_bps, qty_ratio`.
    excluded : dict of str to int
        Own orders that could not be played, by reason.
    notes : list of str
        What a reader must know.
    """

    orders: pd.DataFrame
    shadows: pd.DataFrame
    scores: pd.DataFrame
    excluded: dict[str, int]
    notes: list[str]

    def facts(self) -> dict[str, Any]:
        """Return the scores as plain values, for JSON."""
        return {"scores": self.scores.to_dict("records"), "excluded": self.excluded, "notes": self.notes}

    def save_page(self, path: str | Path) -> Path:
        """Write the report as one HTML page that opens from disk and loads nothing."""
        from replay.validation.own_page import write_own_page

        return write_own_page(self, Path(path))


def validate_executions(
    sessions: Sequence[Session | str | Path],
    source: str | Path,
    models: Sequence[Any] | None = None,
    *,
    progress: Progress | None = None,
) -> OwnValidation:
    """Score queue models against own orders.

    Parameters
    ----------
    sessions : sequence of Session or path
        Recordings of the days on which the orders were sent; no messages needed.
    source : str or Path
        An IBKR Flex query (XML), or the folder of a run.
    models : sequence of QueueModel, name or path, optional
        Queue models; all that are known where absent.
    progress : callable, optional
        Called with steps done, steps in total and the name of the next one.

    Raises
    ------
    DataError
        If the source is malformed, or none of its orders falls into the sessions.
    UsageError
        If there is no such file or folder, or the run replayed other recordings than these.
    """
    import pandas as pd

    path = Path(source)
    if not path.exists():
        raise UsageError(f"`{path}` does not exist; give a Flex query (XML) or the folder of a run")
    opened = [session if isinstance(session, Session) else Session.open(session) for session in sessions]
    is_run = path.is_dir()
    if is_run:
        check_replayed(path, opened)
    orders, excluded = _placed(_with_kind(read_run(path) if is_run else read_flex(path)), opened)
    if not len(orders):
        why = ", ".join(f"{count} {reason}" for reason, count in excluded.items() if count)
        raise DataError(f"no order of `{path}` can be played in these sessions ({why})")
    named = name_models(models)
    tables = []
    for k, (label, model) in enumerate(named.items()):
        if progress:
            progress(k, len(named), label)
        parts = [_play(session, orders[orders["session"] == j], model) for j, session in enumerate(opened)]
        tables.append(_compare(orders, pd.concat(parts)).assign(model=label))
    notes = [NOTES[kind] for kind in dict.fromkeys(orders["account_kind"])] + ([] if is_run else [FLEX_NOTE])
    shadows = pd.concat(tables, ignore_index=True)
    return OwnValidation(orders=orders, shadows=shadows, scores=_scores(shadows), excluded=excluded, notes=notes)


def _with_kind(orders: pd.DataFrame) -> pd.DataFrame:
    kinds = {name: _kind_of(str(name)) for name in orders["account"].unique()}
    return orders.assign(account_kind=orders["account"].map(kinds))


def _kind_of(account: str) -> str:
    if account == "replay":
        return account
    return "paper" if account == "paper" or account.startswith(PAPER) else "live"


def _placed(orders: pd.DataFrame, sessions: Sequence[Session]) -> tuple[pd.DataFrame, dict[str, int]]:
    """Give each order its session; leave out, and count, what has none or cannot be played."""
    number = np.full(len(orders), -1)
    for j, session in enumerate(sessions):
        first_ns, last_ns = session.span_ns
        is_here = orders["symbol"].isin(session.symbols) & orders["sent_ns"].between(first_ns, last_ns)
        number[is_here.to_numpy()] = j
    orders = orders.assign(session=number)
    is_off = np.array([_is_off_tick(row, sessions) for row in orders.itertuples()], bool)
    is_timeless = (orders["sent_ns"] < 0).to_numpy()
    excluded = {
        "without an order time (add Order Time to the Flex query)": int(is_timeless.sum()),
        "outside the sessions or of another symbol": int(((number < 0) & ~is_timeless).sum()),
        "off the tick grid (midpoint or sub-penny)": int(is_off.sum()),
    }
    return orders[(number >= 0) & ~is_off].reset_index(drop=True), excluded


def _is_off_tick(order: Any, sessions: Sequence[Session]) -> bool:
    if order.session < 0 or order.limit_price != order.limit_price:
        return False
    session = sessions[order.session]
    price, own_tick = order.limit_price * session.scale, session.symbol_info(order.symbol).tick
    ticks = price / float(ticks_at(np.array(price), np.array(own_tick), session))
    return bool(abs(ticks - round(ticks)) > 1e-6)


def _play(session: Session, orders: pd.DataFrame, model: Any) -> pd.DataFrame:
    """Play the own orders of one session; real ones are hidden in the book, others act after the events of their time."""
    import pandas as pd

    from fills import simulate

    parts = []
    for is_live in (True, False):
        own = orders[(orders["account_kind"] == "live") == is_live]
        if not len(own):
            continue
        end_ns = np.where(own["fill_ns"] >= 0, own["fill_ns"] + own["clock_ns"] + PATIENCE_NS, own["end_ns"])
        end_ns = np.where(own["end_ns"] >= 0, own["end_ns"], end_ns)
        given = pd.DataFrame(
            {
                "order_id": np.arange(len(own)),
                "ts_ns": own["sent_ns"].to_numpy(),
                "cancel_ts_ns": np.where(end_ns < 0, 0, np.maximum(end_ns, own["sent_ns"])),
                **{name: own[name].to_numpy() for name in ("symbol", "side", "qty", "limit_price", "tif")},
            }
        )
        fills = simulate(session, given, queue=model, latency=0, independent=True, own_in_book=is_live)
        value = np.zeros(len(own))
        np.add.at(value, fills["order_id"].to_numpy(np.int64), (fills["price"] * fills["qty"]).to_numpy())
        parts.append(gathered(fills, own).assign(value=value))
    return pd.concat(parts) if parts else pd.DataFrame()


def _compare(orders: pd.DataFrame, got: pd.DataFrame) -> pd.DataFrame:
    """Lay what shadows got beside what the orders got."""
    import pandas as pd

    got = got.loc[orders.index]
    real = orders.assign(is_filled=orders["filled_qty"] > 0, fill_ns=orders["fill_ns"].where(orders["fill_ns"] >= 0, NEVER_NS))
    same_ns = max(int(orders["clock_ns"].max()), SAME_NS)
    part_filled = (orders["filled_qty"] > 0) & (got["filled_qty"] >= orders["filled_qty"])
    judged = judge(real, got.assign(whole_ns=np.where(part_filled, got["last_ns"], got["whole_ns"])), same_ns)
    mean = (got["value"] / got["filled_qty"].where(got["filled_qty"] > 0)).to_numpy()
    sign = np.where(orders["side"] == "BUY", 1, -1)
    price_bps = sign * (mean / orders["fill_price"].to_numpy() - 1) * 1e4
    columns: Mapping[str, Any] = {
        **{name: orders[name].to_numpy() for name in ("order_ref", "account_kind", "symbol")},
        "real_qty": orders["filled_qty"].to_numpy(),
        "filled_qty": got["filled_qty"].to_numpy(),
        "fill_ns": got["last_ns"].to_numpy(),
        "fill_price": mean,
        "price_bps": price_bps,
        **{name: judged[name].to_numpy() for name in ("verdict", "error_s")},
    }
    return pd.DataFrame(columns)


def _scores(shadows: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for key, own in shadows.groupby(["model", "account_kind"], sort=False):
        verdict, is_filled = own["verdict"], own["real_qty"] > 0
        shares = {name.name.lower(): float((verdict[is_filled] == name).mean()) for name in list(Verdict)[:4]}
        errors = own["error_s"].abs()
        wrong = float((verdict[~is_filled] == Verdict.WRONG).mean())
        head = {"model": key[0], "account_kind": key[1], "orders": len(own), "filled": int(is_filled.sum())}
        measures = {
            "error_p50_s": errors.quantile(0.5),
            "error_p90_s": errors.quantile(0.9),
            "price_bps": own["price_bps"].mean(),
        }
        ratio = float(own["filled_qty"].sum() / max(int(own["real_qty"].sum()), 1))
        rows.append({**head, **shares, "wrong": wrong, **measures, "qty_ratio": ratio})
    return pd.DataFrame(rows)
