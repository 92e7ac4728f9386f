"""Streams of market events and own requests for the exchange, with the faults that feeds have."""

import random

import numpy as np
from hypothesis import strategies as st

from fills.bars import on_bar
from fills.exchange import make_venue, on_event, on_expiry, on_request
from replay.desk import BOOK, apply_market
from replay.events import BAR, EVENT, NO_TIME, Kind, MessageAction
from replay.orders import REQUEST, Action, OrderType, Tif
from tests.naive.exchange import NAMES

BUY, SELL = 1, -1
SELL_PRINT, BUY_PRINT = 512, 256
TIFS = {"day": Tif.DAY, "ioc": Tif.IOC, "fok": Tif.FOK, "gtd": Tif.GTD}
TYPES = {name: OrderType[name.upper()] for name in ("limit", "market", "peg_mid", "midprice")}
ACTIONS = {"new": Action.NEW, "cancel": Action.CANCEL, "modify": Action.MODIFY}


def quote(bid, bid_qty, ask, ask_qty, ts=0, symbol=0):
    """Write a quote as a plain dict."""
    return {"kind": "quote", "ts": ts, "symbol": symbol, "bid": bid, "bid_qty": bid_qty, "ask": ask, "ask_qty": ask_qty}


def trade(price, qty, flags=SELL_PRINT, ts=0, symbol=0, venue=0):
    """Write a print as a plain dict; a seller hit the bid unless `flags` says otherwise."""
    return {"kind": "trade", "ts": ts, "symbol": symbol, "price": price, "qty": qty, "flags": flags, "venue": venue}


def bar(low, high, volume, start=0, ts=0, symbol=0, what=0):
    """Write a bar of trades as a plain dict."""
    return {"kind": "bar", "ts": ts, "symbol": symbol, "low": low, "high": high, "volume": volume, "start": start, "what": what}


def message(action, order_id, side=BUY, price=100, qty=0, *, ts=0, symbol=0):
    """Write a message of the full order book as a plain dict."""
    return {
        "kind": "message", "action": action, "order_id": order_id, "side": side, "price": price, "qty": qty, "ts": ts,
        "symbol": symbol,
    }  # fmt: skip


def status(code, ts=0, symbol=0):
    """Write a status change as a plain dict."""
    return {"kind": "status", "ts": ts, "symbol": symbol, "code": code}


def new(order_id, side, qty, price, *, tif="day", kind="limit", expire=0, post_only=0, symbol=0, ts=0):
    """Write a request for a new order as a plain dict."""
    return {
        "kind": "request", "action": "new", "order_id": order_id, "side": side, "qty": qty, "price": price, "tif": tif,
        "type": kind, "expire": expire, "post_only": post_only, "symbol": symbol, "ts": ts,
    }  # fmt: skip


def cancel(order_id, symbol=0, ts=0):
    """Write a cancel as a plain dict."""
    return new(order_id, BUY, 0, 0, symbol=symbol, ts=ts) | {"action": "cancel"}


def modify(order_id, qty, price, symbol=0, ts=0):
    """Write a change of an order as a plain dict."""
    return new(order_id, BUY, qty, price, symbol=symbol, ts=ts) | {"action": "modify"}


class Market:
    """The compiled venue behind a plain face: steps go in, answers come out as dicts."""

    def __init__(self, n_symbols=1, slots=8, *, tick=1, lot=1, evidence=2, **settings):
        self.venue = make_venue(n_symbols, slots, **settings)
        self.book = np.zeros(n_symbols, BOOK)
        self.book["tick"] = tick
        self.book["lot"] = lot
        self.book["evidence"] = evidence
        self.events = np.zeros(1, EVENT)
        self.requests = np.zeros(1, REQUEST)
        self.bars = np.zeros(1, BAR)

    def play(self, *steps, every_ns=1):
        """Play steps in order, stamping those without a time one after the other; return the answers."""
        answers = []
        for seq, step in enumerate(steps):
            answers += self.step(step | {"seq": step.get("seq", seq), "ts": step["ts"] or (seq + 1) * every_ns})
        return answers

    def step(self, step):
        """Play one step; return its answers."""
        if step["kind"] == "request":
            self._write_request(step)
            on_request(self.requests, 0, step["ts"], self.book, self.venue)
        elif step["kind"] == "bar":
            self._write_event(step)
            low, high = step["low"], step["high"]
            self.bars[0] = (step["start"], low, high, low, low, step["volume"], 0.0, 1, 60, step["what"])
            on_bar(self.bars, self.events, 0, step["symbol"], self.book[step["symbol"]], self.venue)
        elif step["kind"] == "expiry":
            on_expiry(step["ts"], self.book, self.venue)
        else:
            self._write_event(step)
            on_event(self.events, 0, self.book, self.venue)
            apply_market(self.events, 0, self.book)
        return self.collect()

    def collect(self):
        """Take the answers out of the venue."""
        n = self.venue.ctl["n_answers"][0]
        rows = [{name: int(row[name]) for name in NAMES} for row in self.venue.answers[:n]]
        self.venue.ctl["n_answers"] = 0
        return rows

    def _write_request(self, step):
        row = self.requests[0]
        for name in ("order_id", "side", "qty", "price", "post_only", "symbol"):
            row[name] = step[name]
        row["expire_ts_ns"] = step["expire"]
        row["action"] = ACTIONS[step["action"]]
        row["tif"] = TIFS[step["tif"]]
        row["type"] = TYPES[step["type"]]

    def _write_event(self, step):
        self.events[0] = np.zeros((), EVENT)
        row = self.events[0]
        row["ts_ns"], row["seq"], row["symbol"] = step["ts"], step["seq"], step["symbol"]
        row["kind"] = Kind[step["kind"].upper()]
        row["exch_ts_ns"] = step.get("exch", NO_TIME)
        for name in ("bid", "bid_qty", "ask", "ask_qty", "price", "qty", "flags", "venue", "code", "order_id", "side"):
            if name in step:
                row[name] = step[name]
        if "action" in step:
            row["action"] = MessageAction[step["action"].upper()]


def fills_of(answers):
    """Return the fills among answers as (order_id, price, qty)."""
    return [(a["order_id"], a["price"], a["qty"]) for a in answers if a["kind"] in (Kind.PARTIAL, Kind.FILL)]


PRICES = st.integers(96, 105)
QTYS = st.integers(1, 12)
SYMBOLS = st.integers(0, 1)
GAPS = st.sampled_from([0, 1, 40, 300])
EXCHANGE_TIMES = st.one_of(st.just(NO_TIME), st.integers(1, 4000), st.just(10**9))


@st.composite
def quotes(draw):
    """Draw quotes near the middle: mostly sound, sometimes locked, crossed or one-sided."""
    bid = draw(st.integers(97, 102))
    ask = bid + draw(st.sampled_from([1, 1, 1, 2, 3, 0, -1]))
    sizes = st.one_of(QTYS, QTYS, QTYS, st.just(0))
    return quote(bid, draw(sizes), ask, draw(sizes), symbol=draw(SYMBOLS))


@st.composite
def trades(draw):
    """Draw prints with and without a side, some of which consume nothing."""
    flags = draw(st.sampled_from([512, 512, 256, 256, 0, 0, 4, 8, 10 + 512, 2 + 256, 4096, 4096 + 512, 768, 8192, 16384 + 512]))
    return trade(draw(PRICES), draw(st.integers(0, 12)), flags=flags, symbol=draw(SYMBOLS), venue=draw(st.integers(-1, 2)))


@st.composite
def requests(draw, kinds=("limit", "limit", "limit", "limit", "market")):
    """Draw requests, most of them sensible."""
    order_id = draw(st.integers(1, 12))
    symbol = draw(SYMBOLS)
    action = draw(st.sampled_from(["new", "new", "new", "new", "cancel", "modify"]))
    if action == "cancel":
        return cancel(order_id, symbol=symbol)
    if action == "modify":
        return modify(order_id, draw(st.integers(0, 12)), draw(PRICES), symbol=symbol)
    tif = draw(st.sampled_from(["day", "day", "day", "ioc", "fok", "gtd"]))
    kind = draw(st.sampled_from(kinds))
    return new(
        order_id, draw(st.sampled_from([BUY, SELL])), draw(st.integers(0, 12)), draw(PRICES) if kind != "market" else 0, tif=tif,
        kind=kind, expire=draw(st.integers(0, 3000)), post_only=draw(st.sampled_from([0, 0, 0, 1])), symbol=symbol,
    )  # fmt: skip


def odd_steps():
    """Draw what else may happen: pegged orders, auctions, hidden prints, exchange times, restrictions on short sales."""
    flags = st.sampled_from([128, 128 + 512, 16 + 512, 16, 16384 + 256, 4 + 512, 32, 10 + 128, 10, 0])
    odd_trades = st.builds(lambda row, flag, exch: row | {"flags": flag, "exch": exch}, trades(), flags, EXCHANGE_TIMES)
    odd_quotes = st.builds(lambda row, exch: row | {"exch": exch}, quotes(), EXCHANGE_TIMES)
    codes = st.sampled_from([1, 2, 2, 3, 8, 9])
    pegs = requests(("peg_mid", "peg_mid", "midprice", "limit"))
    return st.one_of(
        odd_trades, odd_trades, odd_quotes, odd_quotes, odd_quotes, pegs, pegs, requests(),
        st.builds(status, codes, symbol=st.sampled_from([-1, 0, 1])), st.just({"kind": "expiry"}),
    )  # fmt: skip


@st.composite
def streams(draw, max_steps=60, steps=None):
    """Draw a stream of steps with rising times and unique ids for new orders."""
    kinds = steps if steps is not None else st.one_of(
        quotes(), quotes(), trades(), trades(), requests(), requests(),
        st.builds(status, st.sampled_from([1, 2, 3]), symbol=st.sampled_from([-1, 0, 1])), st.just({"kind": "expiry"}),
    )  # fmt: skip
    now = 1
    stream = []
    for seq, step in enumerate(draw(st.lists(kinds, min_size=1, max_size=max_steps))):
        now += draw(GAPS)
        if step["kind"] == "request" and step["action"] == "new":
            step = step | {"order_id": seq + 1}
        stream.append(step | {"ts": now, "seq": seq})
    return stream


def busy_stream(seed, n_steps=300, *, faults=True, odd=False):
    """Make a long seeded stream around a moving touch, dense in joins, prints at the touch, pairs and own changes.

    `odd` adds pegged orders, auctions, hidden and off-tick prints, and exchange times.
    """
    rng = random.Random(seed)
    touch = [[100, 8, 101, 8], [100, 8, 102, 8]]
    now, stream = 1, []
    for seq in range(n_steps):
        now += rng.choice([0, 1, 1, 5, 40, 120])
        step = _busy_step(rng, touch, seq, faults)
        if odd:
            step = [_made_odd(rng, part, now) for part in step]
        stream += [part | {"ts": now} for part in step]
    return [step | {"seq": seq} for seq, step in enumerate(stream)]


def _busy_step(rng, touch, seq, faults):
    symbol = rng.randrange(2)
    shown = touch[symbol]
    draw = rng.random()
    if draw < 0.35:
        return [_moved_quote(rng, shown, symbol, faults)]
    if draw < 0.5:
        return [_touch_print(rng, shown, symbol)]
    if draw < 0.65:
        return _print_and_quote(rng, shown, symbol)
    if draw < 0.97 or not faults:
        return [_own_request(rng, shown, symbol, seq)]
    if draw < 0.985:
        return [{"kind": "expiry"}]
    return [status(rng.choice([1, 2, 2, 2, 3, 5]), symbol=rng.choice([-1, symbol]))]


def _made_odd(rng, step, now):
    if step["kind"] == "request" and step["action"] == "new" and step["type"] == "limit" and rng.random() < 0.4:
        return step | {"type": rng.choice(["peg_mid", "midprice"]), "price": rng.choice([0, step["price"]])}
    if step["kind"] == "trade" and rng.random() < 0.3:
        return step | {"flags": rng.choice([128, 128 + 512, 16 + 512, 16 + 256, 16, 16384 + 512, 4 + 256, 0])}
    if step["kind"] in ("quote", "trade") and rng.random() < 0.7:
        return step | {"exch": max(now - rng.choice([0, 1, 5, 60]), 1)}
    return step


def _moved_quote(rng, shown, symbol, faults):
    side = rng.choice([0, 2])
    if rng.random() < 0.5:
        shown[side + 1] = rng.randint(1, 12)
    else:
        shown[side] += rng.choice([-1, 1])
    if shown[0] >= shown[2] and not (faults and rng.random() < 0.3):
        shown[2 - side] = shown[side] + (1 if side == 0 else -1)
    sizes = (shown[1], shown[3])
    if faults and rng.random() < 0.03:
        sizes = (0, shown[3])
    return quote(shown[0], sizes[0], shown[2], sizes[1], symbol=symbol)


def _touch_print(rng, shown, symbol):
    flags = rng.choice([512, 256, 512, 256, 0, 4 + 512, 10 + 512, 4096 + 512])
    price = shown[0] if flags & 512 else shown[2] if flags & 256 else rng.choice([shown[0], shown[2]])
    return trade(
        price + rng.choice([0, 0, 0, 0, 0, -1, 1]), rng.randint(1, 12), flags=flags, symbol=symbol, venue=rng.randint(-1, 2)
    )


def _print_and_quote(rng, shown, symbol):
    """Make a print that takes from the touch and the quote that shows it, in either order."""
    side = rng.choice([0, 2])
    qty = rng.randint(1, 12)
    row = trade(shown[side], qty, flags=512 if side == 0 else 256, symbol=symbol)
    shown[side + 1] -= qty
    if shown[side + 1] <= 0:
        shown[side] += -1 if side == 0 else 1
        shown[side + 1] = rng.randint(1, 12)
    pair = [row, quote(*shown, symbol=symbol)]
    return pair if rng.random() < 0.5 else pair[::-1]


def _own_request(rng, shown, symbol, seq):
    draw = rng.random()
    if draw < 0.1:
        return cancel(rng.randint(max(seq - 20, 0), seq), symbol=symbol)
    side = rng.choice([BUY, SELL])
    price = (shown[0] if side == BUY else shown[2]) + rng.choice([0, 0, 0, 0, -1, 1, -2, 2])
    if draw < 0.2:
        return modify(rng.randint(max(seq - 20, 0), seq), rng.randint(0, 12), price, symbol=symbol)
    kind = "market" if rng.random() < 0.06 else "limit"
    tif = rng.choice(["day"] * 7 + ["ioc", "fok", "gtd"])
    return new(
        seq, side, rng.randint(1, 12), price if kind == "limit" else 0, tif=tif, kind=kind, symbol=symbol,
        expire=rng.randint(0, 4000), post_only=int(rng.random() < 0.05),
    )  # fmt: skip
