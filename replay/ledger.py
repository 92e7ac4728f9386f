"""The ledger: what the fills of a run add up to. Round trips, positions, profit over time, outcomes of decisions.

Everything is computed from fills and marks alone, so that it also checks the engine's own positions. Money is marked to mid:
`profit(t) = cash(t) + position(t) x mid(t)`, gross of fees; `net = gross - fees`. Sums of `price x quantity` stay integers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from replay.tables import RunContext

ROUND_TRIP = np.dtype(
    [
        ("entry_ts_ns", "i8"),
        ("exit_ts_ns", "i8"),
        ("qty", "i8"),  # shares entered
        ("entry_price", "f8"),  # averages, price units
        ("exit_price", "f8"),
        ("gross_usd", "f8"),  # still in price units x quantity; the table divides by `RunContext.units_per_usd`
        ("fee_usd", "f8"),
        ("worst_bps", "f8"),  # of the mid against the entry price, while it was open
        ("best_bps", "f8"),
        ("decision_id", "i8"),
        ("exit_decision_id", "i8"),
        ("symbol", "i4"),
        ("side", "i4"),
    ],
    align=True,
)

POSITION_AT = np.dtype(
    [
        ("ts_ns", "i8"),
        ("qty", "i8"),
        ("average_price", "f8"),
        ("mid", "f8"),
        ("realized_usd", "f8"),
        ("unrealized_usd", "f8"),
        ("fee_usd", "f8"),
        ("session", "i4"),
        ("symbol", "i4"),
    ],
    align=True,
)

EQUITY = np.dtype(
    [
        ("ts_ns", "i8"),
        ("gross_usd", "f8"),
        ("fee_usd", "f8"),
        ("net_usd", "f8"),
        ("drawdown_usd", "f8"),  # 0 or below
        ("exposure_usd", "f8"),  # sum of absolute positions at mid
    ],
    align=True,
)

MINUTE_NS = 60_000_000_000


class Mids:
    """The mid of every symbol over time, from the two-sided marks of a run.

    Parameters
    ----------
    marks : MARK array
        In order of time within each symbol.
    """

    def __init__(self, marks: np.ndarray) -> None:
        sided = marks[(marks["bid"] > 0) & (marks["ask"] > 0)]
        order = np.argsort(sided["symbol"], kind="stable")
        self._symbols = sided["symbol"][order]
        self._ts_ns = sided["ts_ns"][order]
        self._mids = (sided["bid"] + sided["ask"])[order] / 2.0
        self.minutes_ns = np.unique(marks["ts_ns"] // MINUTE_NS) * MINUTE_NS + MINUTE_NS  # ends of all minutes with a mark

    def path(self, symbol: int) -> tuple[np.ndarray, np.ndarray]:
        """Return times and mids (price units) of one symbol."""
        first, end = np.searchsorted(self._symbols, [symbol, symbol + 1])
        return self._ts_ns[first:end], self._mids[first:end]

    def at(self, symbol: int, ts_ns: np.ndarray) -> np.ndarray:
        """Return the mid of one symbol at given times, from the last mark at or before each; NaN before the first."""
        marked_ns, mids = self.path(symbol)
        if not len(mids):
            return np.full(len(ts_ns), np.nan)
        place = np.searchsorted(marked_ns, ts_ns, side="right") - 1
        return np.where(place >= 0, mids[np.maximum(place, 0)], np.nan)


def outcomes(decisions: np.ndarray, mids: Mids, context: RunContext) -> np.ndarray:
    """Return what each decision's horizon really brought: the mid's return in bps, signed like the price.

    NaN where no horizon was chosen, a mid is missing, or the horizon did not pass within the session.
    """
    return returns_bps(decisions, decisions["horizon_min"].astype(np.int64) * MINUTE_NS, mids, context)


def returns_bps(decisions: np.ndarray, horizon_ns: np.ndarray, mids: Mids, context: RunContext) -> np.ndarray:
    """Return the mid's return in bps from each decision over a span of its own; NaN where `outcomes` has NaN."""
    until_ns = decisions["ts_ns"] + horizon_ns
    result = np.full(len(decisions), np.nan)
    is_over = (horizon_ns > 0) & (decisions["mid2"] > 0) & (until_ns <= session_end_ns(decisions["ts_ns"], context))
    for symbol in np.unique(decisions["symbol"][is_over]):
        rows = np.flatnonzero(is_over & (decisions["symbol"] == symbol))
        start = decisions["mid2"][rows] / 2.0
        result[rows] = (mids.at(int(symbol), until_ns[rows]) / start - 1.0) * 1e4
    return result


def markouts(fills: np.ndarray, mids: Mids, context: RunContext, delay_ns: int) -> np.ndarray:
    """Return the mid's move after each fill in bps; positive is good for us, NaN where the session ended before."""
    until_ns = fills["ts_ns"] + delay_ns
    result = np.full(len(fills), np.nan)
    is_over = (fills["mid2_at_fill"] > 0) & (until_ns <= session_end_ns(fills["ts_ns"], context))
    for symbol in np.unique(fills["symbol"][is_over]):
        rows = np.flatnonzero(is_over & (fills["symbol"] == symbol))
        start = fills["mid2_at_fill"][rows] / 2.0
        result[rows] = fills["side"][rows] * (mids.at(int(symbol), until_ns[rows]) / start - 1.0) * 1e4
    return result


def session_end_ns(ts_ns: np.ndarray, context: RunContext) -> np.ndarray:
    """Return the end of the session that each time lies in; a time outside all sessions ends at once."""
    end = np.array(ts_ns, np.int64)
    for span in context.sessions:
        end[(ts_ns >= span.start_ns) & (ts_ns <= span.end_ns)] = span.end_ns
    return end


def round_trips(fills: np.ndarray, mids: Mids) -> np.ndarray:
    """Cut the fills of each symbol into round trips, from flat to flat, in order of exit.

    A fill that turns a position round closes one trip and opens the next; its fee is shared by quantity. A position still
    open at the end is no round trip.
    """
    parts = [np.zeros(0, ROUND_TRIP)]
    for symbol in np.unique(fills["symbol"]):
        trips = np.array(_trips_of(fills[fills["symbol"] == symbol]), ROUND_TRIP)
        _mark_extremes(trips, *mids.path(int(symbol)))
        parts.append(trips)
    whole = np.concatenate(parts)
    by_exit: np.ndarray = whole[np.argsort(whole["exit_ts_ns"], kind="stable")]
    return by_exit


def decisions_of(decision_ids: np.ndarray, decisions: np.ndarray) -> np.ndarray:
    """Look decisions up by id; a row of zeros (reason -1) stands for an id that the run does not hold."""
    found = np.zeros(len(decision_ids), decisions.dtype)
    found["reason"] = -1
    if len(decisions):
        place = np.minimum(np.searchsorted(decisions["decision_id"], decision_ids), len(decisions) - 1)
        is_known = decisions["decision_id"][place] == decision_ids
        found[is_known] = decisions[place[is_known]]
    return found


def edge_bps(trips: np.ndarray, decisions: np.ndarray) -> np.ndarray:
    """Return what the entry decision of each round trip had forecast, in its direction; NaN where nobody decided."""
    entry = decisions_of(trips["decision_id"], decisions)
    edge: np.ndarray = np.where(entry["reason"] < 0, np.nan, trips["side"] * entry["mu_bps"])
    return edge


def net_bps(trips: np.ndarray, units_per_usd: np.ndarray) -> np.ndarray:
    """Return each round trip's profit after fees, over the dollars entered."""
    entered = trips["qty"] * trips["entry_price"] / units_per_usd
    ratio: np.ndarray = 1e4 * (trips["gross_usd"] / units_per_usd - trips["fee_usd"]) / np.where(entered > 0, entered, np.nan)
    return ratio


def positions(fills: np.ndarray, mids: Mids, context: RunContext) -> np.ndarray:
    """Return what each traded symbol held at the end of each session, and its profit since the start of the run."""
    traded = np.unique(fills["symbol"])
    held = np.zeros((len(context.sessions), len(traded)), POSITION_AT)
    ends_ns = np.array([span.end_ns for span in context.sessions], np.int64)
    for k, symbol in enumerate(traded):
        own = fills[fills["symbol"] == symbol]
        prices = _price_at(own, mids, int(symbol), ends_ns)
        for day, (end_ns, price) in enumerate(zip(ends_ns, prices, strict=True)):
            row = held[day, k]
            row["session"], row["symbol"], row["ts_ns"] = day, symbol, end_ns
            _hold(row, own[own["ts_ns"] <= end_ns], price, context.units_per_usd(int(symbol)))
    return held.ravel()


def equity(fills: np.ndarray, mids: Mids, context: RunContext) -> np.ndarray:
    """Return profit marked to mid at every fill and every minute of the marks, and its drawdown from the highest net."""
    times = np.union1d(mids.minutes_ns, fills["ts_ns"]).astype(np.int64)
    path = np.zeros(len(times), EQUITY)
    path["ts_ns"] = times
    for symbol in np.unique(fills["symbol"]):
        own = fills[fills["symbol"] == symbol]
        units = context.units_per_usd(int(symbol))
        done = np.searchsorted(own["ts_ns"], times, side="right")
        signed = own["side"] * own["qty"]
        qty = _running(signed)[done]
        price = _price_at(own, mids, int(symbol), times)
        path["gross_usd"] += (_running(-signed * own["price"])[done] + qty * price) / units
        path["fee_usd"] += _running(own["fee_micros"])[done] / 1e6
        path["exposure_usd"] += np.abs(qty) * price / units
    path["net_usd"] = path["gross_usd"] - path["fee_usd"]
    if len(path):
        path["drawdown_usd"] = path["net_usd"] - np.maximum.accumulate(np.maximum(path["net_usd"], 0.0))
    return path


def _trips_of(fills: np.ndarray) -> list[tuple[object, ...]]:
    """Walk through the fills of one symbol; `legs` holds what the open trip has done so far."""
    trips: list[tuple[object, ...]] = []
    legs: list[tuple[int, int, float, float]] = []  # signed qty, ts, price, fee
    held, opener = 0, 0
    for ts, price, qty, fee_micros, side, decision, symbol in _plain(fills):
        rest = qty
        while rest:
            part = min(rest, abs(held)) if held * side < 0 else rest
            opener = decision if held == 0 else opener
            legs.append((side * part, ts, price, fee_micros / 1e6 * part / qty))
            held += side * part
            rest -= part
            if held == 0:
                trips.append(_trip(legs, opener, decision, symbol))
                legs = []
    return trips


def _plain(fills: np.ndarray) -> list[tuple[int, int, int, int, int, int, int]]:
    names = ("ts_ns", "price", "qty", "fee_micros", "side", "decision_id", "symbol")
    return list(zip(*(fills[name].tolist() for name in names), strict=True))


def _trip(legs: list[tuple[int, int, float, float]], opener: int, closer: int, symbol: int) -> tuple[object, ...]:
    side = 1 if legs[0][0] > 0 else -1
    entered = [(side * qty, price) for qty, _, price, _ in legs if side * qty > 0]
    left = [(-side * qty, price) for qty, _, price, _ in legs if side * qty < 0]
    shares = sum(qty for qty, _ in entered)
    paid, got = (sum(qty * price for qty, price in part) for part in (entered, left))
    fee = sum(leg[3] for leg in legs)
    times = (legs[0][1], legs[-1][1])
    return (*times, shares, paid / shares, got / shares, side * (got - paid), fee, np.nan, np.nan, opener, closer, symbol, side)


def _mark_extremes(trips: np.ndarray, marked_ns: np.ndarray, mid: np.ndarray) -> None:
    """Write the worst and the best return at mid that each trip saw while it was open."""
    first = np.searchsorted(marked_ns, trips["entry_ts_ns"], side="left")
    end = np.searchsorted(marked_ns, trips["exit_ts_ns"], side="right")
    for k in range(len(trips)):
        if end[k] > first[k]:
            move = trips["side"][k] * (mid[first[k] : end[k]] / trips["entry_price"][k] - 1.0) * 1e4
            trips["worst_bps"][k], trips["best_bps"][k] = move.min(), move.max()


def _hold(row: np.void, fills: np.ndarray, mid: float, units_per_usd: float) -> None:
    """Complete one position row: average cost, realized and unrealized profit."""
    qty, cost, realized = 0, 0.0, 0.0
    for _, price, size, _, side, _, _ in _plain(fills):
        closed = min(size, abs(qty)) if qty * side < 0 else 0
        average = cost / qty if qty else 0.0
        realized += closed * side * (average - price)
        cost += side * (closed * average + (size - closed) * price)
        qty += side * size
    row["qty"], row["mid"] = qty, mid
    row["average_price"] = cost / qty if qty else 0.0
    row["realized_usd"] = realized / units_per_usd
    row["unrealized_usd"] = (qty * mid - cost) / units_per_usd if qty else 0.0
    row["fee_usd"] = fills["fee_micros"].sum() / 1e6


def _price_at(fills: np.ndarray, mids: Mids, symbol: int, times: np.ndarray) -> np.ndarray:
    """Return the mid at each time; where none is known yet, the price of the last fill (the first one before that)."""
    place = np.maximum(np.searchsorted(fills["ts_ns"], times, side="right") - 1, 0)
    mid = mids.at(symbol, times)
    return np.where(np.isfinite(mid), mid, fills["price"][place])


def _running(values: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
