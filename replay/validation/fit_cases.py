"""Collect, from the messages of sessions, what a queue model is fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from replay.errors import DataError
from replay.events import Flag, Kind
from replay.validation.fit_book import CASE, RETURN, learn, make_lines

if TYPE_CHECKING:
    from replay.session import Session

CAPACITY = 400_000  # cases of one symbol and day; with more, every second, third ... order is followed instead of all


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """Hold the cases and returns of one symbol and day; `cases["spread"]` is in ticks."""

    symbol: str
    cases: np.ndarray
    returns: np.ndarray


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
    one_in = 1
    while True:
        lines = make_lines(len(ids), prices, CAPACITY)
        lines.ctl["start_ns"], lines.ctl["end_ns"], lines.ctl["one_in"] = start_ns, end_ns, one_in
        learn(messages, rows, levels, lines)
        n_cases, n_returns = int(lines.ctl["n_cases"][0]), int(lines.ctl["n_returns"][0])
        if max(n_cases, n_returns) <= CAPACITY:
            break
        one_in *= -(-max(n_cases, n_returns) // CAPACITY)
    cases, returns = lines.cases[:n_cases].copy(), lines.returns[:n_returns].copy()
    cases["spread"] //= session.symbol_info(symbol).tick
    return Lessons(symbol=symbol, cases=cases, returns=returns)


def stacked(lessons: Sequence[Lessons]) -> tuple[np.ndarray, np.ndarray]:
    """Return all cases and all returns."""
    cases = np.concatenate([np.zeros(0, CASE), *(lesson.cases for lesson in lessons)])
    return cases, np.concatenate([np.zeros(0, RETURN), *(lesson.returns for lesson in lessons)])


def print_facts(session: Session, symbol: str, start_ns: int, end_ns: int) -> dict[str, int]:
    """Count the shares printed in a stretch, and those that met hidden orders and so consumed no displayed queue."""
    printed = hidden = 0
    for block in session.blocks(symbol_index={symbol: 0}, start_ns=start_ns, end_ns=end_ns):
        trades = block.events[block.events["kind"] == Kind.TRADE]
        printed += int(trades["qty"].sum())
        hidden += int(trades["qty"][(trades["flags"] & int(Flag.HIDDEN)) != 0].sum())
    return {"printed_qty": printed, "hidden_qty": hidden}
