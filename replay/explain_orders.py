"""What is known of a moment where nothing was decided by the pipeline: own requests, orders in force, fills and the touch.

A strategy of one's own leaves orders, no decisions. A wake that asked for nothing leaves no trace at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from replay.orders import State
from replay.wording import et_stamp

REQUESTS = (State.SENT.name, State.MODIFY_SENT.name, State.CANCEL_SENT.name)
ENDED = (State.FILLED.name, State.CANCELLED.name, State.REJECTED.name, State.EXPIRED.name)
_AROUND_NS = 60_000_000_000
_SHOWN = 6  # rows before and after the moment
_WORKING = ("order_id", "decision_id", "side", "limit_price", "leaves_qty", "state", "ahead_qty_simulated", "ahead_qty_estimated")
_REQUEST = ("ts_ns", "order_id", "state", "side", "type", "tif", "qty", "limit_price")


def activity(
    states: Sequence[Mapping[str, Any]], fills: Sequence[Mapping[str, Any]], marks: Sequence[Mapping[str, Any]], at_ns: int
) -> dict[str, Any]:
    """Collect what is known of one symbol around a moment.

    Parameters
    ----------
    states, fills, marks : sequence of mappings
        Rows of the symbol in orders.parquet, fills.parquet and marks.parquet.
    at_ns : int
        The moment, ns UTC.

    Returns
    -------
    dict
        `touch`, `position_qty` as known to us, `working` orders, `requests` and `fills` within a minute, `last_request_ns` and
        `next_request_ns`.
    """
    asked = [state for state in states if state["state"] in REQUESTS]
    before = [state["ts_ns"] for state in asked if state["ts_ns"] <= at_ns]
    after = [state["ts_ns"] for state in asked if state["ts_ns"] > at_ns]
    return {
        "touch": _touch(marks, at_ns),
        "position_qty": _position(states, at_ns),
        "working": working(states, at_ns),
        "requests": [{key: state[key] for key in _REQUEST} for state in _nearest(asked, at_ns)],
        "fills": _nearest(fills, at_ns),
        "last_request_ns": before[-1] if before else None,
        "next_request_ns": after[0] if after else None,
    }


def working(states: Sequence[Mapping[str, Any]], at_ns: int) -> list[dict[str, Any]]:
    """Collect the orders that were alive at the moment, as far as we knew."""
    last = _last_states(states, at_ns)
    return [{key: state[key] for key in _WORKING} for state in last if state["state"] not in ENDED]


def own_strategy_sentence(strategy: str, at_ns: int, facts: Mapping[str, Any]) -> str:
    """Say in a sentence or two what the strategy had just done."""
    who = f"The own strategy {strategy}" if strategy else "This run"
    asked = facts["last_request_ns"]
    if asked is None:
        told = "nothing had been asked for by then"
    else:
        told = f"the last request before then left at {et_stamp(asked)}, {(at_ns - asked) / 1e9:.3f} s earlier"
    return f"{who} leaves requests, orders and fills, no decisions; {told}."


def _last_states(states: Sequence[Mapping[str, Any]], at_ns: int) -> list[Mapping[str, Any]]:
    return list({state["order_id"]: state for state in states if state["ts_ns"] <= at_ns}.values())


def _position(states: Sequence[Mapping[str, Any]], at_ns: int) -> int:
    return sum(state["filled_qty"] * (1 if state["side"] == "BUY" else -1) for state in _last_states(states, at_ns))


def _touch(marks: Sequence[Mapping[str, Any]], at_ns: int) -> dict[str, Any] | None:
    past = [mark for mark in marks if mark["ts_ns"] <= at_ns]
    return {"bid": past[-1]["bid"], "ask": past[-1]["ask"], "changed_ns": past[-1]["ts_ns"]} if past else None


def _nearest(rows: Sequence[Mapping[str, Any]], at_ns: int) -> list[Mapping[str, Any]]:
    """Return the rows within a minute, at most six before and six after."""
    close = [row for row in rows if abs(row["ts_ns"] - at_ns) <= _AROUND_NS]
    return [row for row in close if row["ts_ns"] <= at_ns][-_SHOWN:] + [row for row in close if row["ts_ns"] > at_ns][:_SHOWN]
