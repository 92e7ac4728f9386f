"""Small recorded days for the tests of sessions: frames with ties, gaps, faults and every kind of row."""

from datetime import date

import numpy as np
import pandas as pd

from replay.session import Session, SymbolInfo, write_session

DAY = date(2025, 1, 2)
OPEN_NS = int(pd.Timestamp("2025-01-02 09:30", tz="America/New_York").value)
SECOND_NS = 1_000_000_000
NAMES = ("AAA", "BBB", "CCC")


def symbol_infos(names=NAMES):
    """Return the symbol table of a test day."""
    return [SymbolInfo(name=name, con_id=7, primary_exchange="NASDAQ", what_to_show=("TRADES",)) for name in names]


def frames(names=NAMES, n=60, seed=0, step_ns=SECOND_NS // 4):
    """Return frames of every stream, with many equal times."""
    rng = np.random.default_rng(seed)
    return {
        "quotes": _quotes(rng, names, n, step_ns),
        "trades": _trades(rng, names, n // 2, step_ns),
        "bars": _bars(rng, names, max(1, n // 8), step_ns),
        "status": pd.DataFrame(
            {"ts_ns": [OPEN_NS, OPEN_NS + 9 * step_ns], "symbol": ["", names[0]], "status": ["connected", "halted"]}
        ),
        "messages": _messages(rng, names, n, step_ns),
    }


def write_day(folder, **changes):
    """Write a test day; `changes` replace arguments of `write_session`."""
    arguments = {"day": DAY, "symbols": symbol_infos(), "source": "test", **frames(), **changes}
    return write_session(folder, **arguments)


def only(**given):
    """Return arguments for `write_day` with these frames and no others."""
    return {name: given.get(name) for name in ("quotes", "trades", "bars", "status", "messages")}


def events_of(session, symbol_index=None, **options):
    """Return all events as tuples in the form of `tests.naive.merge`."""
    rows = []
    for block in session.blocks(symbol_index, **options):
        rows += [_tuple(event, block.bars) for event in block.events]
    return rows


def joined_events(session, *arguments, **options):
    """Return all events as one array."""
    blocks = [block.events.copy() for block in session.blocks(*arguments, **options)]
    return np.concatenate(blocks) if blocks else np.zeros(0)


def in_memory(names, seed):
    """Return a session in memory, in dollars."""
    return Session.from_frames(**to_dollars(frames(names, seed=seed)), symbols={name: {"tick": 0.01} for name in names}, day=DAY)


def to_dollars(days):
    """Return the frames with prices in dollars."""
    result = {}
    for stream, frame in days.items():
        prices = [c for c in ("bid", "ask", "price", "open", "high", "low", "close", "wap") if c in frame.columns]
        result[stream] = frame.assign(**{name: frame[name] / 10_000 for name in prices})
    return result


def _times(rng, n, step_ns):
    return np.sort(OPEN_NS + rng.integers(0, max(n, 2), n) * step_ns)


def _quotes(rng, names, n, step_ns):
    bid = 1_000_000 + 100 * rng.integers(-3, 4, n)
    ts_ns = _times(rng, n, step_ns)
    exch = pd.array(ts_ns - 1_000_000, dtype="Int64")
    exch[::3] = pd.NA
    frame = pd.DataFrame({"ts_ns": ts_ns, "exch_ts_ns": exch, "symbol": rng.choice(names, n)})
    frame = frame.assign(bid=bid, bid_size=100 * rng.integers(1, 9, n))
    frame = frame.assign(ask=bid + 100 * rng.integers(-1, 3, n), ask_size=100 * rng.integers(1, 9, n))
    return frame.assign(past_limit=rng.random(n) < 0.1, flags=np.where(rng.random(n) < 0.1, 32, 0))


def _trades(rng, names, n, step_ns):
    frame = pd.DataFrame({"ts_ns": _times(rng, n, step_ns), "symbol": rng.choice(names, n)})
    frame = frame.assign(price=1_000_000 + 50 * rng.integers(-3, 4, n), size=rng.integers(1, 500, n))
    frame = frame.assign(exchange=rng.choice(["Q", "N", ""], n), conditions=rng.choice(["@", "@ I"], n))
    return frame.assign(unreported=rng.random(n) < 0.1, past_limit=rng.random(n) < 0.1)


def _bars(rng, names, n, step_ns):
    low = 1_000_000 + 100 * rng.integers(-3, 4, n)
    ts_ns = _times(rng, n, step_ns)
    frame = pd.DataFrame({"ts_ns": ts_ns, "symbol": rng.choice(names, n), "start_ts_ns": ts_ns - 5 * SECOND_NS, "bar_s": 5})
    frame = frame.assign(open=low + 100, high=low + 300, low=low, close=low + 200)
    frame = frame.assign(volume=rng.integers(0, 999, n), wap=low + 150.5, count=rng.integers(1, 9, n))
    return frame.assign(what_to_show=rng.choice(["TRADES", "MIDPOINT"], n))


def _messages(rng, names, n, step_ns):
    frame = pd.DataFrame({"ts_ns": _times(rng, n, step_ns), "symbol": rng.choice(names, n)})
    frame = frame.assign(action=rng.choice(["add", "delete", "execute"], n), order_id=rng.integers(1, 99, n))
    frame = frame.assign(side=rng.choice([1, -1], n).astype(np.int8))
    return frame.assign(price=1_000_000 + 100 * rng.integers(-3, 4, n), size=rng.integers(1, 500, n))


def _tuple(event, bars):
    kind = {1: "quote", 2: "trade", 3: "bar", 5: "status"}[int(event["kind"])]
    exch = None if event["exch_ts_ns"] == -(2**63) else int(event["exch_ts_ns"])
    says = {"quote": _of_quote, "trade": _of_trade, "status": _of_status}
    payload = _of_bar(bars[event["row"]]) if kind == "bar" else says[kind](event)
    return int(event["ts_ns"]), int(event["seq"]), exch, kind, int(event["symbol"]), payload, int(event["flags"])


def _of_quote(event):
    return tuple(int(event[name]) for name in ("bid", "bid_qty", "ask", "ask_qty"))


def _of_trade(event):
    return int(event["price"]), int(event["qty"]), int(event["venue"])


def _of_status(event):
    words = ("", "halted", "resumed", "auction", "disconnected", "connected", "gap_start", "gap_end")
    return (words[int(event["code"])],)


def _of_bar(bar):
    what = ("TRADES", "MIDPOINT", "BID", "ASK", "BID_ASK")[int(bar["what"])]
    names = ("start_ts_ns", "bar_s", "open", "high", "low", "close", "volume", "wap", "count")
    return (*(bar[name].item() for name in names), what)
