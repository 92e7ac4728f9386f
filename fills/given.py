"""The orders that a user hands to `simulate`: checked at the border, row by row, and laid out as requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fills.terms import tick_table
from replay.errors import UsageError
from replay.orders import REQUEST, Action, OrderType, Side, Tif

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("order_id", "symbol", "ts_ns", "side", "qty", "limit_price", "tif")
TYPES = ("LIMIT", "PEG_MID", "MIDPRICE")
MOST_QTY = 1_000_000_000
LATEST_NS = 2**62  # year 2116: a time after it never comes, and may be added to
OPTIONAL = {"expire_ts_ns": 0, "cancel_ts_ns": 0, "post_only": 0, "before_seq": 0, "cancel_before_seq": 0}


class Market(Protocol):
    """What `simulate` asks of a session."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """Return the names of the symbols."""

    @property
    def scale(self) -> int:
        """Return the price units per dollar."""

    @property
    def day(self) -> date:
        """Return the trade date."""

    def symbol_info(self, name: str) -> Any:
        """Return tick, lot and evidence of a symbol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenOrders:
    """Hold checked orders as columns; `symbol` counts in the session's symbols, absent times are 0."""

    order_id: np.ndarray
    symbol: np.ndarray
    ts_ns: np.ndarray
    side: np.ndarray
    qty: np.ndarray
    price: np.ndarray
    type: np.ndarray
    tif: np.ndarray
    expire_ts_ns: np.ndarray
    cancel_ts_ns: np.ndarray
    post_only: np.ndarray
    before_seq: np.ndarray
    cancel_before_seq: np.ndarray

    def new_requests(self) -> np.ndarray:
        """Return one NEW request per order, in the order given; expiry is the caller's affair."""
        rows = np.zeros(len(self.order_id), REQUEST)
        for name in ("order_id", "symbol", "ts_ns", "side", "qty", "price", "post_only", "expire_ts_ns"):
            rows[name] = getattr(self, name)
        rows["action"] = Action.NEW
        rows["type"] = self.type
        rows["tif"] = self.tif
        return rows


def read_orders(frame: pd.DataFrame, session: Market, span_ns: tuple[int, int]) -> GivenOrders:
    """Check a frame of orders against a session; the first bad row is named in a `UsageError`.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns as in `fills.simulate`.
    session : Session
        Names, ticks and scale of the symbols.
    span_ns : tuple of int
        First and last time at which an order may be sent.
    """
    _check_frame(frame)
    columns = {name: frame[name].to_numpy() for name in NEEDED}
    for name, default in OPTIONAL.items():
        columns[name] = _optional(frame, name, default)
    whole = {name: _whole(name, columns[name]) for name in ("order_id", "ts_ns", "qty", *OPTIONAL)}
    _refuse("order_id", ~_first_seen(whole["order_id"]), whole["order_id"], "a number of its own")
    _refuse("qty", whole["qty"] <= 0, whole["qty"], "a positive number of shares")
    _refuse("qty", whole["qty"] > MOST_QTY, whole["qty"], f"at most {MOST_QTY:,} shares")
    _refuse(
        "ts_ns", ~_between(whole["ts_ns"], span_ns), whole["ts_ns"], f"a time inside the session ({span_ns[0]} to {span_ns[1]})"
    )
    symbol = _coded("symbol", columns["symbol"], {name: k for k, name in enumerate(session.symbols)})
    side = _coded("side", columns["side"], {s.name: int(s) for s in Side})
    tif = _coded("tif", columns["tif"], {t.name: int(t) for t in Tif})
    is_late = (tif == Tif.GTD) & (whole["expire_ts_ns"] <= whole["ts_ns"])
    _refuse("expire_ts_ns", is_late, whole["expire_ts_ns"], "a time after `ts_ns` for GTD")
    is_early = (whole["cancel_ts_ns"] != 0) & (whole["cancel_ts_ns"] < whole["ts_ns"])
    _refuse("cancel_ts_ns", is_early, whole["cancel_ts_ns"], "a time not before `ts_ns`, or 0 for never")
    dollars = _dollars(columns["limit_price"])
    kinds = _types(frame, dollars)
    _refuse_contradictions(kinds, tif, whole["post_only"])
    whole["cancel_ts_ns"] = np.minimum(whole["cancel_ts_ns"], LATEST_NS)
    price = _prices(dollars, symbol, session)
    return GivenOrders(symbol=symbol, side=side, tif=tif, price=price, type=kinds, **whole)


def _check_frame(frame: Any) -> None:
    """Refuse what is no frame, and one whose columns are not those of orders."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise UsageError(f"`orders` must be a pandas.DataFrame with {', '.join(NEEDED)}, got {type(frame).__name__}")
    for name in NEEDED:
        if name not in frame.columns:
            raise UsageError(f"orders lack the column `{name}`; expected {', '.join(NEEDED)}")
    for name in (*NEEDED, *OPTIONAL, "type"):
        if list(frame.columns).count(name) > 1:
            raise UsageError(f"orders have the column `{name}` more than once; keep one")


def _types(frame: pd.DataFrame, dollars: np.ndarray) -> np.ndarray:
    """Return the type of each order: a limit without a price is a market order, without a `type` column all are limits."""
    words = frame["type"].fillna("LIMIT").tolist() if "type" in frame.columns else ["LIMIT"] * len(frame)
    kinds = _coded("type", words, {name: int(OrderType[name]) for name in TYPES})
    is_market = (kinds == OrderType.LIMIT) & np.isnan(dollars)
    kinds[is_market] = int(OrderType.MARKET)
    return kinds


def _refuse_contradictions(kinds: np.ndarray, tif: np.ndarray, post_only: np.ndarray) -> None:
    """Refuse orders that cannot wait and must not take, or follow the mid and cannot wait."""
    _refuse("post_only", (kinds == OrderType.MARKET) & (post_only != 0), post_only, "0 for a market order, which always takes")
    is_pegged = (kinds == OrderType.PEG_MID) | (kinds == OrderType.MIDPRICE)
    is_wrong = is_pegged & (tif != Tif.DAY) & (tif != Tif.GTD)
    _refuse("tif", is_wrong, [Tif(word).name for word in tif], "DAY or GTD for an order that follows the mid")


def _optional(frame: pd.DataFrame, name: str, default: int) -> np.ndarray:
    if name not in frame.columns:
        return np.full(len(frame), default, np.int64)
    column = frame[name]
    return column.where(column.notna(), default).to_numpy()


def _whole(name: str, values: Any) -> np.ndarray:
    """Return a column as int64, refusing fractions, words and what 64 bits do not hold."""
    array = np.asarray(values)
    if array.dtype.kind in "ib":
        return array.astype(np.int64)
    is_whole = np.array([_is_whole(value) for value in array.tolist()], bool)
    _refuse(name, ~is_whole, array, "a whole number")
    numbers = [int(value) for value in array.tolist()]
    _refuse(name, np.array([not -(2**63) <= number < 2**63 for number in numbers], bool), array, "a whole number of 64 bits")
    return np.array(numbers, np.int64)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | float) and value == value and abs(value) != float("inf") and value == int(value)


def _dollars(values: Any) -> np.ndarray:
    """Return a column as float64, refusing words; what is missing becomes NaN."""
    import pandas as pd

    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        is_number = [isinstance(value, Real | Decimal) and not isinstance(value, bool) for value in array.tolist()]
        is_bad = ~(np.array(is_number, bool) | np.asarray(pd.isna(array), bool))
        _refuse("limit_price", is_bad, array, "a price in dollars, or NaN for market")
        array = np.array([float(v) if is_one else np.nan for v, is_one in zip(array.tolist(), is_number, strict=True)])
    return array.astype(np.float64)


def _prices(dollars: np.ndarray, symbol: np.ndarray, session: Market) -> np.ndarray:
    """Return limit prices in price units, 0 where there is none."""
    has_none = np.isnan(dollars)
    scaled = np.where(has_none, 0.0, dollars) * session.scale
    _refuse(
        "limit_price", ~has_none & ~((scaled > 0) & (scaled < 2**60)), dollars, "a positive price in dollars, or NaN for market"
    )
    price: np.ndarray = np.rint(scaled).astype(np.int64)
    own_ticks = np.array([int(session.symbol_info(name).tick) for name in session.symbols], np.int64)[symbol]
    ticks = ticks_at(price, own_ticks, session)
    is_off = ~has_none & ((np.abs(scaled - price) > 1e-4) | (price % ticks != 0))
    if is_off.any():
        k = int(np.argmax(is_off))
        _refuse("limit_price", is_off, dollars, f"a multiple of the tick {ticks[k] / session.scale:g}")
    return price


def ticks_at(price: np.ndarray, own_ticks: np.ndarray, session: Market) -> np.ndarray:
    """Return the tick in force at each price, in price units (rule 32)."""
    edge, low_tick, *of_rule = tick_table(session.day, session.scale)
    ticks: np.ndarray = np.where((price < edge) & np.isin(own_ticks, of_rule), low_tick, own_ticks)
    return ticks


def _coded(name: str, values: Any, codes: dict[str, int]) -> np.ndarray:
    """Return the code of each word."""
    words = [str(value) for value in values]
    known = ", ".join(list(codes)[:8]) + (", ..." if len(codes) > 8 else "")
    _refuse(name, np.array([word not in codes for word in words], bool), words, f"one of {known}")
    return np.array([codes[word] for word in words], np.int64)


def _first_seen(values: np.ndarray) -> np.ndarray:
    _, first = np.unique(values, return_index=True)
    is_first = np.zeros(len(values), bool)
    is_first[first] = True
    return is_first


def _between(values: np.ndarray, span: tuple[int, int]) -> np.ndarray:
    return (values >= span[0]) & (values <= span[1])


def _refuse(name: str, is_bad: np.ndarray, values: Any, expected: str) -> None:
    if is_bad.any():
        k = int(np.argmax(is_bad))
        raise UsageError(f"orders row {k}: `{name}` must be {expected}, got {_shown(values[k])}")


def _shown(value: Any) -> str:
    return repr(value.item() if isinstance(value, np.generic) else value)
