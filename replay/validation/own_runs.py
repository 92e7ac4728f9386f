"""Own orders from the folder of a run: `orders.parquet` and `fills.parquet`, as `replay run` and the live adapter leave them.

An order whose price was changed is one order per price, each from its change to the next; its quantity is what was left then.
Live, an order is taken to reach the market half way between sending and acknowledgement, and to end when that was known; in a
replayed run the legs of its configuration say when.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replay.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

LIVE = ("live", "paper")
_ENDED = ("CANCELLED", "EXPIRED", "REJECTED")


def read_run(folder: Path) -> pd.DataFrame:
    """Return the own orders of a run, a row per order and price; columns as `flex.read_flex`.

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
    """Cut the life of one order at its changes of price."""
    if (own["state"] == "REJECTED").any():
        return []
    price = own["limit_price"]
    starts = own[(price != price.shift()) & ~(price.isna() & price.shift().isna())].index.tolist() or [own.index[0]]
    ends = own[own["state"].isin(_ENDED)]
    last_ns = int(ends["ts_ns"].iloc[0]) + shifts_ns[1] if len(ends) else -1
    until = [*(int(own.loc[at, "ts_ns"]) for at in starts[1:]), last_ns]
    rows = []
    for k, (at, end_ns) in enumerate(zip(starts, until, strict=True)):
        from_ns = int(own.loc[at, "ts_ns"]) if k else 0
        got = fills[(fills["ts_ns"] >= from_ns) & ((fills["ts_ns"] < end_ns) | (end_ns < 0))]
        rows.append(_piece(own.loc[at], k, got) | {"end_ns": end_ns})
        rows[-1]["sent_ns"] += shifts_ns[0]
    return rows


def _piece(head: pd.Series, number: int, fills: pd.DataFrame) -> dict[str, Any]:
    """Return one order at one price, with what it got there."""
    qty = int(fills["qty"].sum())
    mean = float((fills["price"] * fills["qty"]).sum() / qty) if qty else float("nan")
    return {
        "order_ref": f"{head['order_id']}.{number}",
        **{name: head[name] for name in ("symbol", "side")},
        "tif": head["tif"] if head["tif"] in ("IOC", "FOK") else "DAY",
        "qty": int(head["leaves_qty"]),
        "limit_price": float(head["limit_price"]),
        "sent_ns": int(head["ts_ns"]),
        "filled_qty": qty,
        "fill_price": mean,
        "fill_ns": int(fills["ts_ns"].max()) if qty else -1,
    }
