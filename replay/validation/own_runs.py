"""Own orders from the folder of a run: `orders.parquet` and `fills.parquet`, as `replay run` and the live adapter leave them.

An order that was re-priced or enlarged begins anew in the queue: it is one order per change, each from the moment its change
reached the market to that of the next, and its quantity is what was asked in all less what was filled by then. One that was made
smaller keeps its place, and stays one order of the smaller quantity. A change that was refused, or that the end of the order was
faster than, is none. Live, an order is taken to reach the market half way between sending and acknowledgement, and to end when
that was known; in a replayed run the legs of its configuration say when.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from replay.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from replay.session import Session

LIVE = ("live", "paper")
_ENDED = ("CANCELLED", "EXPIRED", "REJECTED")
_REQUESTS = ("SENT", "MODIFY_SENT", "CANCEL_SENT")


def read_run(folder: Path) -> pd.DataFrame:
    """Return the own orders of a run, a row per order and change; columns as `flex.read_flex`.

    Raises
    ------
    DataError
        If the folder is no run.
    """
    import pandas as pd

    manifest, orders, fills = _tables(folder)
    mode = str(manifest.get("mode", "replay"))
    account = str(manifest.get("account") or mode)
    rows = []
    for order_id, own in orders[orders["type"].isin(["LIMIT", "MARKET"])].groupby("order_id", sort=False):
        got = fills[fills["order_id"] == order_id]
        rows += [row for row in _pieces(own, got, _shifts_ns(own, manifest["config"].get("latency", {}), mode)) if row["qty"] > 0]
    if not rows:
        raise DataError(f"`{folder}` sent no limit or market orders: there is nothing to score")
    return pd.DataFrame(rows).assign(account=account, clock_ns=0)


def check_replayed(folder: Path, sessions: Sequence[Session]) -> None:
    """Refuse sessions that a replayed run did not replay: its orders would be scored against a market they never saw.

    A live run replayed nothing, and of a day that was merged from several recordings none has the digest of the whole.

    Raises
    ------
    UsageError
        With the recordings that the run was made from.
    """
    manifest, _, _ = _tables(folder)
    replayed = manifest.get("inputs", {}).get("sessions", [])
    if manifest.get("mode", "replay") in LIVE or not replayed or any(len(one.get("paths", ())) > 1 for one in replayed):
        return
    for session in sessions:
        if session.digest not in {one["digest"] for one in replayed}:
            told = ", ".join(str(path) for one in replayed for path in one.get("paths", ())) or "others"
            raise UsageError(
                f"`{folder}` did not replay this recording of {session.day} (digest {session.digest[:8]}); "
                f"it replayed {told}: give the session of the run"
            )


def _tables(folder: Path) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]:
    import pandas as pd

    for name in ("manifest.json", "orders.parquet", "fills.parquet"):
        if not (folder / name).is_file():
            raise DataError(f"`{folder}` is no run: {name} is missing; give a run's folder or a Flex XML file")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return manifest, pd.read_parquet(folder / "orders.parquet"), pd.read_parquet(folder / "fills.parquet")


def _shifts_ns(own: pd.DataFrame, legs: dict[str, int], mode: str) -> tuple[int, int]:
    """Return from sending an order to its acting on the recorded market, and from knowing an end to the end itself."""
    feed_ns = legs.get("feed_ns", 0)
    if mode not in LIVE:
        return legs.get("compute_ns", 0) + legs.get("outbound_ns", 0) + feed_ns, feed_ns - legs.get("answer_ns", 0)
    acks = own["ack_ts_ns"][own["ack_ts_ns"] > 0]
    return int(acks.iloc[0] - own["ts_ns"].iloc[0]) // 2 if len(acks) else 0, 0


def _pieces(own: pd.DataFrame, fills: pd.DataFrame, shifts_ns: tuple[int, int]) -> list[dict[str, Any]]:
    """Cut the life of one order where a change made it begin anew."""
    if (own["state"] == "REJECTED").any():
        return []
    terms = _terms(own)
    ends = own[own["state"].isin(_ENDED)]
    last_ns = int(ends["ts_ns"].iloc[0]) + shifts_ns[1] if len(ends) else -1
    from_ns = [int(head["ts_ns"]) + shifts_ns[0] for head, _ in terms]
    piece = np.maximum(np.searchsorted(from_ns, fills["ts_ns"].to_numpy(), "right") - 1, 0)
    rows = []
    for k, ((head, asked_qty), end_ns) in enumerate(zip(terms, [*from_ns[1:], last_ns], strict=True)):
        left_qty = asked_qty - int(fills["qty"][piece < k].sum())
        times = {"sent_ns": from_ns[k], "end_ns": end_ns}
        rows.append({"order_ref": f"{head['order_id']}.{k}", "qty": left_qty, **times, **_piece(head, fills[piece == k])})
    return rows


def _terms(own: pd.DataFrame) -> list[tuple[pd.Series, int]]:
    """Return the row that begins each piece, and the quantity of the whole order that was asked while it lasted."""
    terms = [(own.iloc[0], int(own["qty"].iloc[0]))]
    for place in np.flatnonzero(own["state"] == "MODIFY_SENT"):
        asked, later = own.iloc[place], own.iloc[place + 1 :]
        is_same_terms = (later["limit_price"] == asked["limit_price"]) & (later["qty"] == asked["qty"])
        if not (is_same_terms & ~later["state"].isin(_REQUESTS)).any():
            continue
        head, asked_qty = terms[-1]
        if asked["limit_price"] == head["limit_price"] and asked["qty"] <= asked_qty:
            terms[-1] = (head, int(asked["qty"]))
        else:
            terms.append((asked, int(asked["qty"])))
    return terms


def _piece(head: pd.Series, fills: pd.DataFrame) -> dict[str, Any]:
    """Return the terms of one piece, and what it got."""
    qty = int(fills["qty"].sum())
    mean = float((fills["price"] * fills["qty"]).sum() / qty) if qty else float("nan")
    return {
        **{name: head[name] for name in ("symbol", "side")},
        "tif": head["tif"] if head["tif"] in ("IOC", "FOK") else "DAY",
        "limit_price": float(head["limit_price"]),
        "filled_qty": qty,
        "fill_price": mean,
        "fill_ns": int(fills["ts_ns"].max()) if qty else -1,
    }
