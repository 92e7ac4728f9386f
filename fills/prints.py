"""Prints: what they consume, whose side they were on, and how much of them reaches us (rule 10)."""

from fills.bands import GUESS_NOBODY, MILLION
from fills.ledger import awaits_print, hear
from fills.refusal import tick_at
from fills.venue import NO_RANK, PRINT_WAITS, TOUCHES
from replay.desk import queueless
from replay.events import NO_TIME, Flag
from replay.jit import kernel, leaf

NO_VENUE = int(Flag.NO_VENUE)
BUY = int(Flag.BUY)
SELL = int(Flag.SELL)
STRAY_SIDE = 3  # beside 1 and -1 (told), 2 and -2 (guessed) and 0 (nobody of ours): a print that consumes no displayed queue
SECOND_NS = 1_000_000_000
MILLISECOND_NS = 1_000_000


@leaf
def hear_side(event, s, row, bids, asks, venue):
    """Book a print on the side it consumed; return that side when own orders are within its reach, else 0."""
    qty = event["qty"]
    price = event["price"]
    if queueless(event["flags"]) != 0 or qty <= 0 or price <= 0 or is_between_ticks(price, row["tick"], venue):
        venue.ctl[0]["n_ineligible"] += 1
        return STRAY_SIDE if bids["best_rank"] != NO_RANK or asks["best_rank"] != NO_RANK else 0
    flags = event["flags"] & (BUY | SELL)
    side = told_side(event, s, row, bids, asks, venue) if flags == 0 else 1 if flags == SELL else -1 if flags == BUY else 0
    if side == 0:
        venue.ctl[0]["n_unsided"] += 1
        return STRAY_SIDE if bids["best_rank"] != NO_RANK or asks["best_rank"] != NO_RANK else 0
    wait_ns = venue.pairing_ns[row["evidence"], PRINT_WAITS]
    ledger = bids if side > 0 else asks
    exch_ts_ns = event["exch_ts_ns"]
    ledger["heard_exch_ns"] = exch_ts_ns if exch_ts_ns % MILLISECOND_NS != 0 else NO_TIME
    return side if hear(ledger, price if side > 0 else -price, qty, event["ts_ns"], wait_ns) else 0


@leaf
def is_between_ticks(price, tick, venue):
    """Tell whether a price is on no step of the grid in force there (rule 32), whose low ticks divide the others."""
    return tick > 1 and price % tick != 0 and price % tick_at(price, tick, venue.terms[0]) != 0


@leaf
def told_side(event, s, row, bids, asks, venue):
    """Return whose resting orders a print without a side consumed: 1 bids, -1 asks, twice that for a guess, 0 unknown."""
    price = event["price"]
    side = awaits_print(bids, price, event["ts_ns"]) - awaits_print(asks, -price, event["ts_ns"])
    symbol = venue.symbol_of[s]
    k = _touch_at(event, symbol, venue)
    bid = row["bid"] if row["bid_qty"] > 0 else 0
    ask = row["ask"] if row["ask_qty"] > 0 else 0
    if k >= 0:
        bid = venue.touches[symbol, k]["bid"]
        ask = venue.touches[symbol, k]["ask"]
    by_quote = (1 if price <= bid else 0) - (1 if (price >= ask) & (ask > 0) else 0)
    side = by_quote if side == 0 else side
    return side if side != 0 else _guess_side(price, bid, ask, row)


@kernel
def _guess_side(price, bid, ask, row):
    """Return the passive side of a print between bid and ask (0 = that side is empty), or where the two meet."""
    is_low = bid > 0 and price <= bid
    weight = 1 if is_low else 2
    if bid > 0 and ask > 0 and not is_low and 2 * price != bid + ask:
        return weight if 2 * price < bid + ask else -weight
    if row["last_qty"] <= 0 or price == row["last_price"]:
        return 0
    return weight if price < row["last_price"] else -weight


@kernel
def _touch_at(event, s, venue):
    """Return which remembered touch was in force at the exchange when a print happened; -1 = the one received last.

    A touch with the print's own time is what the print left behind.
    """
    if not has_exchange_time(event["exch_ts_ns"]):
        return -1
    n = venue.n_touches[s]
    for back in range(1, min(n, TOUCHES) + 1):
        k = (n - back) % TOUCHES
        if venue.touches[s, k]["exch_ts_ns"] < event["exch_ts_ns"]:
            return k
    return -1


@leaf
def has_exchange_time(exch_ts_ns):
    """Tell whether an exchange time is known and finer than whole seconds."""
    return exch_ts_ns != NO_TIME and exch_ts_ns % SECOND_NS != 0


@kernel
def remember_touch(event, s, venue):
    """Keep a touch that moved, with its exchange time, for prints that are late in telling their side (rule 10)."""
    if venue.symbol_of[s] != s:  # the lane of a shadow order: its symbol keeps them
        return
    touch = venue.touches[s, venue.n_touches[s] % TOUCHES]
    venue.n_touches[s] += 1
    touch["exch_ts_ns"] = event["exch_ts_ns"]
    touch["bid"] = event["bid"] if event["bid_qty"] > 0 else 0
    touch["ask"] = event["ask"] if event["ask_qty"] > 0 else 0


@kernel
def budget_qty(event, is_guess, choice):
    """Return how much of a print reaches our queue (rules 10 and 25)."""
    if choice["has_print_fills"] == 0 or (is_guess and choice["guess"] == GUESS_NOBODY):
        return 0
    if (event["flags"] & NO_VENUE) != 0:
        return (event["qty"] * choice["no_venue_ppm"] + choice["no_venue_round_ppm"]) // MILLION
    return event["qty"]
