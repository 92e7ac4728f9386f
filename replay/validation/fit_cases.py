"""Collect, from the messages of sessions, what a queue model is fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from replay.desk import queueless
from replay.errors import DataError
from replay.events import Flag, Kind, MessageAction
from replay.validation.fit_book import CASE, RETURN, learn, make_lines

if TYPE_CHECKING:
    from replay.session import Session

CAPACITY = 400_000  # cases of one symbol and day; with more, every second, third ... order is followed instead of all


PRINT = np.dtype([("ts_ns", "i8"), ("qty", "i8")], align=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """Hold what one symbol and day teach; `cases["spread"]` is in ticks."""

    symbol: str
    cases: np.ndarray
    returns: np.ndarray
    executions: np.ndarray
    prints: np.ndarray  # PRINT: those that name no venue


def lessons_of(session: Session, symbol: str, start_ns: int, end_ns: int) -> Lessons:
    """Follow the real orders of a symbol that arrived at the touch in `start_ns <= arrival < end_ns`.

    Only what happened before `end_ns` is learned from, so that a later stretch can judge.

    Raises
    ------
    DataError
        If the session holds no messages of the symbol.
    """
    blocks = list(session.message_blocks(symbol))
    if not blocks:
        raise DataError(
            f"the session of {session.day} holds no messages of '{symbol}': a queue model is fitted on message-level data "
            "(`replay import lobster`, `replay import databento`, `replay synth`)"
        )
    messages = np.concatenate(blocks)
    messages = messages[messages["ts_ns"] < end_ns]
    ids, rows = np.unique(messages["order_id"], return_inverse=True)
    prices, levels = np.unique(messages["price"], return_inverse=True)
    n_executions = int(np.isin(messages["action"], (MessageAction.EXECUTE, MessageAction.EXECUTE_HIDDEN)).sum())
    one_in = 1
    while True:
        lines = make_lines(len(ids), prices, CAPACITY, n_executions)
        lines.ctl["start_ns"], lines.ctl["end_ns"], lines.ctl["one_in"] = start_ns, end_ns, one_in
        learn(messages, rows, levels, lines)
        n_cases, n_returns = int(lines.ctl["n_cases"][0]), int(lines.ctl["n_returns"][0])
        if max(n_cases, n_returns) <= CAPACITY:
            break
        one_in *= -(-max(n_cases, n_returns) // CAPACITY)
    cases, returns = lines.cases[:n_cases].copy(), lines.returns[:n_returns].copy()
    cases["spread"] //= session.symbol_info(symbol).tick
    executions = lines.executions[: lines.ctl["n_executions"][0]]
    return Lessons(
        symbol=symbol,
        cases=cases,
        returns=returns,
        executions=executions[executions["ts_ns"] >= start_ns].copy(),
        prints=_venueless(session, symbol, start_ns, end_ns),
    )


def stacked(lessons: Sequence[Lessons]) -> tuple[np.ndarray, np.ndarray]:
    """Return all cases and all returns."""
    cases = np.concatenate([np.zeros(0, CASE), *(lesson.cases for lesson in lessons)])
    return cases, np.concatenate([np.zeros(0, RETURN), *(lesson.returns for lesson in lessons)])


def _venueless(session: Session, symbol: str, start_ns: int, end_ns: int) -> np.ndarray:
    """Return the prints that consume displayed queues, but do not name the venue whose queue it was."""
    found = [np.zeros(0, PRINT)]
    for block in session.blocks(symbol_index={symbol: 0}, start_ns=start_ns, end_ns=end_ns):
        trades = block.events[block.events["kind"] == Kind.TRADE]
        trades = trades[(trades["flags"] & int(Flag.NO_VENUE)) != 0]
        rows = np.zeros(len(trades), PRINT)
        rows["ts_ns"], rows["qty"] = trades["ts_ns"], trades["qty"]
        found.append(rows[np.array([queueless(int(flags)) == 0 for flags in trades["flags"]], bool)])
    return np.concatenate(found)
