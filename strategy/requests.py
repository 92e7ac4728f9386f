"""Requests for people: what has to go to the broker, with names and dollars instead of codes and units."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from replay.orders import Action, OrderType, Tif


class Request(NamedTuple):
    """What has to go to the broker; `qty` is the order's whole quantity, also in a modify.

    `price_usd` is the limit, or the cap of a pegged order; NaN where there is none. `parent_id` names the plan that the order
    belongs to, `work_ns` is the time that the plan has.
    """

    action: Action
    order_id: int
    symbol: str
    side: int
    qty: int
    price_usd: float
    order_type: OrderType = OrderType.LIMIT
    tif: Tif = Tif.DAY
    expire_ts_ns: int = 0
    ts_ns: int = 0
    decision_id: int = 0
    parent_id: int = 0
    work_ns: int = 0


def as_request(row: Any, symbols: Sequence[str], scale: int) -> Request:
    """Return a row of REQUEST as a plain object."""
    price = int(row["price"])
    return Request(
        action=Action(row["action"]),
        order_id=int(row["order_id"]),
        symbol=symbols[row["symbol"]],
        side=int(row["side"]),
        qty=int(row["qty"]),
        price_usd=price / scale if price > 0 else math.nan,
        order_type=OrderType(row["type"]),
        tif=Tif(row["tif"]),
        expire_ts_ns=int(row["expire_ts_ns"]),
        ts_ns=int(row["ts_ns"]),
        decision_id=int(row["decision_id"]),
        parent_id=int(row["parent_id"]),
        work_ns=int(row["work_ns"]),
    )
