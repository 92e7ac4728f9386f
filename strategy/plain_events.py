"""Events as anybody has them: plain dicts, made by the functions here or written by hand, and their way into rows.

>>> quote(1_000, "AAPL", 10.00, 300, 10.01, 200)["kind"]
'quote'

`ts_ns` is when it was received, ns since 1970 (UTC); a datetime with a time zone is understood. Prices are dollars, sizes shares.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from replay.errors import UnknownNameError, UsageError
from replay.events import BAR, EVENT, FORECAST, Kind, Status
from strategy.border import Names, as_ns, check_counts, check_numbers, check_price, check_quantiles, check_time, suggestion
from strategy.own_desk import SCALE

PlainEvent = dict[str, Any]
_NAN = math.nan


def quote(ts_ns: int, symbol: str, bid: float, bid_size: int, ask: float, ask_size: int) -> PlainEvent:
    """Return the touch as received; a side without size, or whose price is not above 0, is empty."""
    return {
        "kind": "quote", "ts_ns": ts_ns, "symbol": symbol,
        "bid": bid, "bid_size": bid_size, "ask": ask, "ask_size": ask_size,
    }  # fmt: skip


def trade(ts_ns: int, symbol: str, price: float, size: int, flags: int = 0) -> PlainEvent:
    """Return a print of the market; `flags` are bits of `replay.events.Flag`."""
    return {"kind": "trade", "ts_ns": ts_ns, "symbol": symbol, "price": price, "size": size, "flags": flags}


def bar(ts_ns: int, symbol: str) -> PlainEvent:
    """Return the arrival of a bar; what is in it is the model's business."""
    return {"kind": "bar", "ts_ns": ts_ns, "symbol": symbol}


def forecast(ts_ns: int, symbol: str, horizon_min: int, mu_bps: float, sigma_bps: float, **known: Any) -> PlainEvent:
    """Return what a model said, at the time when it was ready.

    Parameters
    ----------
    ts_ns : int
    symbol : str
    horizon_min : int
    mu_bps, sigma_bps : float
        Expected return over the horizon, and its standard deviation.
    **known
        `bar_close_ts_ns` of the bar behind it (default `ts_ns`), `forecast_id` (default: numbered), `q_lo_bps`, `q_hi_bps`,
        `p_peak`, `p_valley`, `net_reward_bps`, `trained_ts_ns` (when the model was last trained).
    """
    return {
        "kind": "forecast", "ts_ns": ts_ns, "symbol": symbol,
        "horizon_min": horizon_min, "mu_bps": mu_bps, "sigma_bps": sigma_bps, **known,
    }  # fmt: skip


def status(ts_ns: int, symbol: str | None, status: str) -> PlainEvent:
    """Return a change of trading, a name of `replay.events.Status` (`HALTED`, `RESUMED`, ...); no symbol means all."""
    return {"kind": "status", "ts_ns": ts_ns, "symbol": symbol, "status": status}


def clock(ts_ns: int) -> PlainEvent:
    """Return the time, so that timers fire in silence."""
    return {"kind": "clock", "ts_ns": ts_ns}


def answer(ts_ns: int, symbol: str, answer: str, order_id: int, **known: Any) -> PlainEvent:
    """Return what the broker said about an own order.

    Parameters
    ----------
    ts_ns : int
    symbol : str
    answer : str
        ACK, PARTIAL, FILL, CANCELLED, REJECTED, EXPIRED, HELD, MODIFIED, CANCEL_REJECTED, CORRECTION or COMMISSION.
    order_id : int
        Of the request that it answers.
    **known
        `price` and `size` of a fill, `leaves` of a partial fill or a modified order (whose new limit is `price`), `fee_usd` of a
        commission. A correction has a signed size.
    """
    return {"kind": "answer", "ts_ns": ts_ns, "symbol": symbol, "answer": answer, "order_id": order_id, **known}


_FORECAST_DEFAULTS = {
    "bar_close_ts_ns": None, "forecast_id": None, "q_lo_bps": _NAN, "q_hi_bps": _NAN,
    "p_peak": _NAN, "p_valley": _NAN, "net_reward_bps": _NAN, "trained_ts_ns": 0,
}  # fmt: skip
_ANSWER_DEFAULTS = {"price": 0.0, "size": 0, "leaves": 0, "fee_usd": 0.0}
_KEYS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "quote": (("symbol", "bid", "bid_size", "ask", "ask_size"), {}),
    "trade": (("symbol", "price", "size"), {"flags": 0}),
    "bar": (("symbol",), {}),
    "forecast": (("symbol", "horizon_min", "mu_bps", "sigma_bps"), _FORECAST_DEFAULTS),
    "status": (("symbol", "status"), {}),
    "clock": ((), {}),
    "answer": (("symbol", "answer", "order_id"), _ANSWER_DEFAULTS),
}
ANSWERS = tuple(kind.name for kind in Kind if kind >= Kind.ACK)


def answer_kind(word: str) -> Kind:
    """Return the kind of answer of a name such as `FILL`."""
    if str(word).upper() not in ANSWERS:
        raise UnknownNameError(f"unknown answer {word!r}{suggestion(str(word).upper(), ANSWERS)}")
    return Kind[str(word).upper()]


class Packer:
    """Turns plain events into the rows that kernels read; remembers the last time and numbers events and forecasts.

    Parameters
    ----------
    names : Names
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self.last_ns = -(2**63)
        self._n_events = 0
        self._n_forecasts = 0

    def pack(self, events: Sequence[PlainEvent]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return EVENT, BAR and FORECAST rows; nothing is kept of a list with a bad event in it.

        Raises
        ------
        UsageError
            Names the event by its place in the list, and what is wrong with it.
        """
        rows, forecasts = np.zeros(len(events), EVENT), np.zeros(len(events), FORECAST)
        last_ns, n_forecasts = self.last_ns, 0
        for k, given in enumerate(events):
            try:
                values = _complete(given)
                last_ns = check_time(values["ts_ns"], last_ns, "events")
                rows[k]["ts_ns"], rows[k]["seq"] = last_ns, self._n_events + k
                if values["kind"] == "forecast":
                    rows[k]["row"], n_forecasts = n_forecasts, n_forecasts + 1
                    self._write_forecast(forecasts[n_forecasts - 1], values, last_ns, n_forecasts)
                self._write(rows[k], values)
            except UsageError as error:
                raise UsageError(f"event {k} of {len(events)} ({_told(given)}): {error}") from error
        self.last_ns, self._n_events = last_ns, self._n_events + len(events)
        self._n_forecasts += n_forecasts
        return rows, np.zeros(0, BAR), forecasts[:n_forecasts]

    def _write(self, row: Any, values: PlainEvent) -> None:
        kind = values["kind"]
        is_for_all = kind == "clock" or (kind == "status" and values["symbol"] is None)
        row["symbol"] = -1 if is_for_all else self._names.symbol(values["symbol"])
        row["kind"] = answer_kind(values["answer"]) if kind == "answer" else Kind[kind.upper()]
        row["exch_ts_ns"], row["venue"] = -(2**63), -1
        writer = _WRITERS.get(kind)
        if writer is not None:
            writer(row, values)

    def _write_forecast(self, row: Any, values: PlainEvent, ts_ns: int, count: int) -> None:
        numbers = ("mu_bps", "sigma_bps", "q_lo_bps", "q_hi_bps", "p_peak", "p_valley", "net_reward_bps")
        check_numbers(**{name: values[name] for name in numbers})
        for name in numbers:
            row[name] = values[name]
        row["horizon_min"] = values["horizon_min"]
        close_ns, number = values["bar_close_ts_ns"], values["forecast_id"]
        row["bar_close_ts_ns"] = ts_ns if close_ns is None else as_ns(close_ns)
        row["forecast_id"] = self._n_forecasts + count if number is None else number
        row["trained_ts_ns"] = as_ns(values["trained_ts_ns"])
        check_quantiles(row["forecast_id"], values["q_lo_bps"], values["q_hi_bps"])
        if row["trained_ts_ns"] > ts_ns:
            raise UsageError(f"a forecast cannot be ready ({ts_ns}) before its model was trained ({row['trained_ts_ns']})")
        if row["bar_close_ts_ns"] > ts_ns:
            raise UsageError(f"a forecast cannot be ready ({ts_ns}) before its bar closed ({row['bar_close_ts_ns']})")


def _complete(given: Any) -> PlainEvent:
    """Return an event with all its keys."""
    kind = given.get("kind") if isinstance(given, dict) else None
    if kind not in _KEYS:
        raise UsageError(f"its kind is {kind!r}; expected one of {', '.join(_KEYS)}")
    needed, optional = _KEYS[kind]
    missing = [key for key in ("ts_ns", *needed) if key not in given]
    if missing:
        raise UsageError(f"it lacks {', '.join(missing)}")
    strangers = [key for key in given if key not in (*needed, *optional, "kind", "ts_ns")]
    if strangers:
        raise UsageError(f"it has no '{strangers[0]}'{suggestion(strangers[0], (*needed, *optional))}")
    return {**optional, **given}


def _told(given: Any) -> str:
    return f"{given.get('kind')} of {given.get('symbol')}" if isinstance(given, dict) else type(given).__name__


def _write_quote(row: Any, values: PlainEvent) -> None:
    check_numbers(bid=values["bid"], ask=values["ask"])
    check_counts(bid_size=values["bid_size"], ask_size=values["ask_size"])
    for side in ("bid", "ask"):
        price, size = side_units(values[side]), values[f"{side}_size"]
        is_there = price > 0 and size > 0
        row[side] = price if is_there else 0
        row[f"{side}_qty"] = size if is_there else 0


def _write_trade(row: Any, values: PlainEvent) -> None:
    check_counts(size=values["size"])
    row["price"], row["qty"], row["flags"] = units(values["price"]), values["size"], values["flags"]


def _write_status(row: Any, values: PlainEvent) -> None:
    word = str(values["status"]).upper()
    if word not in Status.__members__:
        raise UnknownNameError(f"unknown status {values['status']!r}{suggestion(word, Status.__members__)}")
    row["code"] = Status[word]


def _write_answer(row: Any, values: PlainEvent) -> None:
    check_counts(order_id=values["order_id"], leaves=values["leaves"])
    row["order_id"] = values["order_id"]
    if row["kind"] == Kind.COMMISSION:
        row["fee_micros"] = round(values["fee_usd"] * 1e6)
        return
    if row["kind"] != Kind.CORRECTION:
        check_counts(size=values["size"])
    is_priced = row["kind"] in (Kind.PARTIAL, Kind.FILL, Kind.MODIFIED, Kind.CORRECTION)
    if row["kind"] in (Kind.PARTIAL, Kind.FILL) and values["size"] < 1:
        raise UsageError(f"a fill needs its shares, `size` of 1 or more, got {values['size']}")
    row["price"] = units(values["price"]) if is_priced else 0
    row["qty"], row["leaves_qty"] = values["size"], values["leaves"]


_WRITERS: dict[str, Callable[[Any, PlainEvent], None]] = {
    "quote": _write_quote,
    "trade": _write_trade,
    "status": _write_status,
    "answer": _write_answer,
}


def units(price_usd: float) -> int:
    """Return a price in price units; refuse what is no price."""
    check_price(price_usd)
    return round(price_usd * SCALE)


def side_units(price_usd: float) -> int:
    """Return the price of a side of the touch in price units; 0 where it is none: NaN, or the -1 that a feed says for it."""
    check_numbers(price=price_usd)
    return units(price_usd) if 0.0 < price_usd < math.inf else 0
