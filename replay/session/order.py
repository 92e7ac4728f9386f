"""The order of a session's rows, and their `seq`.

Rows are sorted by `ts_ns`. Equal times follow the source's own order where it states one (column `order`), and else the tie
rule: status, trades, quotes, bars; then symbol by name; then the row in its frame. Status always comes before and bars after
the other rows of their time unless they have an `order` too; quotes and trades both have one or neither.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from replay.errors import DataError
from replay.session.rules import spread, word_table
from replay.session.tables import EVENT_STREAMS

_FIRST = np.iinfo(np.int64).min
_LAST = np.iinfo(np.int64).max


def sequence(streams: Mapping[str, Mapping[str, Any]], orders: Mapping[str, np.ndarray | None]) -> dict[str, tuple[Any, Any]]:
    """Return for each stream the permutation that sorts it and the `seq` of its sorted rows.

    Parameters
    ----------
    streams : mapping of str to columns
        Event streams that take part in one numbering (or the messages alone).
    orders : mapping of str to int64 array or None
        The source's own order of each stream.
    """
    names = [name for name in (*EVENT_STREAMS, "messages") if name in streams]
    _check_orders(names, orders)
    keys = [np.concatenate(parts) for parts in zip(*(_keys(name, streams[name], orders[name]) for name in names), strict=True)]
    ranked = np.lexsort(keys)
    seq = np.empty(len(ranked), np.int64)
    seq[ranked] = np.arange(len(ranked))
    bounds = np.cumsum([0] + [len(streams[name]["ts_ns"]) for name in names])
    result = {}
    for k, name in enumerate(names):
        own = seq[bounds[k] : bounds[k + 1]]
        permutation = np.argsort(own, kind="stable")
        result[name] = (permutation, own[permutation])
    return result


def resorted_rows(ts_ns: np.ndarray) -> int:
    """Count the rows that are earlier than the row before them."""
    return int((ts_ns[1:] < ts_ns[:-1]).sum())


def _keys(name: str, columns: Mapping[str, Any], order: np.ndarray | None) -> tuple[np.ndarray, ...]:
    """Return the sort keys of a stream, the least important first, as lexsort wants them."""
    words = columns["symbol"].dictionary.to_pylist()
    by_name = {word: i for i, word in enumerate(sorted(words))}
    ts_ns = columns["ts_ns"]
    rank = (*EVENT_STREAMS, "messages").index(name)
    absent = {"status": _FIRST, "bars": _LAST}.get(name, 0)
    place = np.full(len(ts_ns), absent, np.int64) if order is None else order
    symbol = spread(columns["symbol"], word_table(columns["symbol"], by_name, 0))
    return symbol, np.full(len(ts_ns), rank, np.int8), place, ts_ns


def _check_orders(names: list[str], orders: Mapping[str, np.ndarray | None]) -> None:
    has = {name: orders[name] is not None for name in ("quotes", "trades") if name in names}
    if len(set(has.values())) > 1:
        without = next(name for name, is_there in has.items() if not is_there)
        raise DataError(
            f"{without} lack the column 'order' that the other frame has; give it to quotes and trades, or to neither"
        )
