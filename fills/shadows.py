"""Shadow orders: many orders, each alone in the market, stepped through one event together.

What a feed shows is the same for all of them, so it is noted once, in the ledgers of their symbol. A shadow keeps its order in a
*lane* of the venue, which it has from its arrival until it is gone. Per symbol and side a *line* lists the live shadows by rank,
the best last, equals by arrival: whom an event may concern is then the end of a line, and the others are not touched at all.

A shadow stands *apart*, with ledgers of its own that see every event, as long as it sees another market than the rest: after it
took displayed size (rule 11), if it follows the mid (rule 27), and while it is part of the level shown or just gone (rule 23).
"""

from typing import NamedTuple

import numpy as np

from fills.bars import on_bar
from fills.exchange import is_auction, meet_halted, react, see
from fills.fifo import MESSAGE_ON_BIDS, follow, note_message, reach
from fills.ledger import forget_display
from fills.notes import CROSSED_BIDS, GUESSED, PRINT_ON_BIDS, SHOWN_BIDS, STRAY, note_print, note_quote, set_source
from fills.pegs import is_pegged
from fills.record import summarise
from fills.venue import NO_RANK
from replay.bundle import bundle
from replay.events import Kind
from replay.jit import kernel
from replay.orders import Evidence

NO_LANE = -1
ALL_SIDES = 0b10000010101  # every bit that concerns bids; shifted by one: asks

SHADOW = np.dtype([("rank", "i8"), ("lane", "i8")], align=True)
LINE = np.dtype([("first", "i8"), ("count", "i8")], align=True)


@bundle
class Shadows(NamedTuple):
    """Where the live shadows stand; symbols own a stretch of each list that would hold all their orders."""

    lined: np.ndarray  # SHADOW (n_orders,)
    lines: np.ndarray  # LINE (n_symbols, 2): bids, asks
    apart: np.ndarray  # int64 (n_orders,): lanes
    aparts: np.ndarray  # LINE (n_symbols,)
    lane_of: np.ndarray  # int64 (n_orders,); NO_LANE = not live
    owner_of: np.ndarray  # int64 (n_lanes,): the order in a lane
    free: np.ndarray  # int64 (n_lanes,): a stack of lanes
    n_free: np.ndarray  # int64 (1,)


def make_shadows(symbols: np.ndarray, sides: np.ndarray, n_symbols: int, n_lanes: int) -> Shadows:
    """Make room for orders of the given symbols and sides, `n_lanes` of them live at once; lanes count from `n_symbols`."""
    per_line = np.bincount(2 * symbols + (sides < 0), minlength=2 * n_symbols)
    lines, aparts = np.zeros(2 * n_symbols, LINE), np.zeros(n_symbols, LINE)
    lines["first"] = np.cumsum(per_line) - per_line
    aparts["first"] = lines["first"][::2]
    return Shadows(
        lined=np.zeros(len(symbols), SHADOW),
        lines=lines.reshape(n_symbols, 2),
        apart=np.zeros(len(symbols), np.int64),
        aparts=aparts,
        lane_of=np.full(len(symbols), NO_LANE),
        owner_of=np.full(n_symbols + n_lanes, NO_LANE),
        free=np.arange(n_symbols + n_lanes - 1, n_symbols - 1, -1),
        n_free=np.array([n_lanes]),
    )


@kernel
def open_lane(s, owner, shadows, venue):
    """Give an order that arrives a lane, whose ledgers show what those of its symbol show; return the lane."""
    shadows.n_free[0] -= 1
    lane = shadows.free[shadows.n_free[0]]
    shadows.lane_of[owner] = lane
    shadows.owner_of[lane] = owner
    venue.symbol_of[lane] = s
    for k in range(2):
        venue.ledgers[lane, k] = venue.ledgers[s, k]
    return lane


@kernel
def _close_lane(lane, shadows):
    shadows.lane_of[shadows.owner_of[lane]] = NO_LANE
    shadows.free[shadows.n_free[0]] = lane
    shadows.n_free[0] += 1


@kernel
def place(s, lane, shadows, venue):
    """Put a shadow where it belongs after it arrived or saw an event: nowhere, apart, or into its line."""
    if venue.n_orders[lane] == 0:
        _close_lane(lane, shadows)
    elif _stands_apart(s, lane, venue):
        _append_apart(s, lane, shadows)
    else:
        _enter_line(s, lane, shadows, venue)


@kernel
def _stands_apart(s, lane, venue):
    if venue.ledgers[lane, 0]["taken_rank"] != NO_RANK or venue.ledgers[lane, 1]["taken_rank"] != NO_RANK:
        return True
    order = venue.orders[lane, 0]
    if is_pegged(order) or order["evidence"] == Evidence.BARS:
        return True
    shown = venue.ledgers[s, 0 if order["side"] > 0 else 1]
    return venue.ctl[0]["own_in_book"] == 1 and (order["rank"] == shown["rank"] or order["rank"] == shown["gone_rank"])


@kernel
def _append_apart(s, lane, shadows):
    line = shadows.aparts[s]
    shadows.apart[line["first"] + line["count"]] = lane
    line["count"] += 1


@kernel
def _enter_line(s, lane, shadows, venue):
    order = venue.orders[lane, 0]
    k = 0 if order["side"] > 0 else 1
    line = shadows.lines[s, k]
    at = _first_at(order["rank"] + 1, line, shadows)
    for i in range(line["first"] + line["count"], at, -1):
        shadows.lined[i] = shadows.lined[i - 1]
    shadows.lined[at]["rank"] = order["rank"]
    shadows.lined[at]["lane"] = lane
    line["count"] += 1
    _bound(s, k, shadows, venue)


@kernel
def _first_at(rank, line, shadows):
    """Return where the shadows of at least that rank begin in a line."""
    low = line["first"]
    high = low + line["count"]
    while low < high:
        middle = (low + high) >> 1
        if shadows.lined[middle]["rank"] < rank:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _bound(s, k, shadows, venue):
    """Tell the symbol's ledger between which ranks its shadows stand, so that an event which concerns none is noted only."""
    line = shadows.lines[s, k]
    first, count = line["first"], line["count"]
    ledger = venue.ledgers[s, k]
    ledger["worst_rank"] = shadows.lined[first]["rank"] if count > 0 else NO_RANK
    ledger["best_rank"] = shadows.lined[first + count - 1]["rank"] if count > 0 else NO_RANK


@kernel
def leave(s, lane, shadows, venue):
    """Take a shadow whose order was withdrawn off the lists and free its lane; the order still stands in its slot."""
    order = venue.orders[lane, 0]
    k = 0 if order["side"] > 0 else 1
    line = shadows.lines[s, k]
    end = line["first"] + line["count"]
    at = _first_at(order["rank"], line, shadows)
    while at < end and shadows.lined[at]["lane"] != lane and shadows.lined[at]["rank"] == order["rank"]:
        at += 1
    if at < end and shadows.lined[at]["lane"] == lane:
        for i in range(at, end - 1):
            shadows.lined[i] = shadows.lined[i + 1]
        line["count"] -= 1
        _bound(s, k, shadows, venue)
    else:
        _leave_apart(s, lane, shadows)
    _close_lane(lane, shadows)


@kernel
def _leave_apart(s, lane, shadows):
    line = shadows.aparts[s]
    kept = line["first"]
    for i in range(line["first"], line["first"] + line["count"]):
        if shadows.apart[i] != lane:
            shadows.apart[kept] = shadows.apart[i]
            kept += 1
    line["count"] = kept - line["first"]


@kernel
def live_count(s, shadows):
    """Return how many shadows of a symbol are live."""
    return shadows.lines[s, 0]["count"] + shadows.lines[s, 1]["count"] + shadows.aparts[s]["count"]


@kernel
def show_all(event, s, row, shadows, venue):
    """Show a quote or print to all shadows of its symbol; the caller made room for two answers of each."""
    if row["status"] != 0:
        _show_halted(event, s, row, shadows, venue)
        return
    if venue.ctl[0]["own_in_book"] == 1 and event["kind"] == Kind.QUOTE:
        _part(s, 0, event["bid"], shadows, venue)
        _part(s, 1, -event["ask"], shadows, venue)
    line = shadows.aparts[s]
    n_apart = line["count"]
    for i in range(line["first"], line["first"] + n_apart):
        see(event, shadows.apart[i], row, venue)
    touched = note_quote(event, s, row, venue) if event["kind"] == Kind.QUOTE else note_print(event, s, row, venue)
    _react_lines(event, s, touched, shadows, venue)
    if n_apart > 0:
        _reunite(s, n_apart, shadows, venue)


@kernel
def tell_all(event, s, tick, shadows, venue):
    """Tell all shadows of a symbol of a message of the full order book; the caller made room for two answers of each."""
    touched = note_message(event, s, tick, venue)
    line = shadows.aparts[s]
    n_apart = line["count"]
    for i in range(line["first"], line["first"] + n_apart):
        follow(s, shadows.apart[i], venue)
    _react_lines(event, s, touched, shadows, venue)
    if n_apart > 0:
        _reunite(s, n_apart, shadows, venue)


@kernel
def _react_lines(event, s, touched, shadows, venue):
    for k in range(2):
        if (touched & (ALL_SIDES << k | STRAY)) != 0:
            _react_line(event, s, k, touched & (ALL_SIDES << k | GUESSED | STRAY), shadows, venue)


@kernel
def _show_halted(event, s, row, shadows, venue):
    """Show an auction's print to all shadows of a symbol that does not trade."""
    if not is_auction(event):
        return
    line = shadows.aparts[s]
    n_apart = line["count"]
    for i in range(line["first"], line["first"] + n_apart):
        meet_halted(event, shadows.apart[i], row, venue)
    set_source(event, row["evidence"], event["venue"], venue.ctl[0])
    for k in range(2):
        _react_line(event, s, k, STRAY, shadows, venue)
    if n_apart > 0:
        _reunite(s, n_apart, shadows, venue)


@kernel
def show_bar(bars, events, i, row, shadows, venue):
    """Show a bar to the shadows of its symbol; they all stand apart where bars are the evidence."""
    s = events[i]["symbol"]
    line = shadows.aparts[s]
    n_apart = line["count"]
    for k in range(line["first"], line["first"] + n_apart):
        on_bar(bars, events, i, shadows.apart[k], row, venue)
    if n_apart > 0:
        _reunite(s, n_apart, shadows, venue)


@kernel
def _part(s, k, rank, shadows, venue):
    """Let the shadows at a level that is about to be shown stand apart: the size shown there contains them (rule 23)."""
    ledger = venue.ledgers[s, k]
    if rank == ledger["rank"] or ledger["best_rank"] < rank or ledger["worst_rank"] > rank:
        return
    line = shadows.lines[s, k]
    end = line["first"] + line["count"]
    start = _first_at(rank, line, shadows)
    stop = start
    while stop < end and shadows.lined[stop]["rank"] == rank:
        _set_apart(s, shadows.lined[stop]["lane"], shadows, venue)
        stop += 1
    for i in range(stop, end):
        shadows.lined[start + i - stop] = shadows.lined[i]
    line["count"] -= stop - start
    _bound(s, k, shadows, venue)


@kernel
def _set_apart(s, lane, shadows, venue):
    """Give a shadow the ledgers of its symbol as its own, but for what it took itself."""
    for k in range(2):
        ledger = venue.ledgers[lane, k]
        taken_rank = ledger["taken_rank"]
        taken_qty = ledger["taken_qty"]
        n_deep = ledger["n_deep"]
        venue.ledgers[lane, k] = venue.ledgers[s, k]
        ledger["n_deep"] = n_deep
        ledger["taken_rank"] = taken_rank
        ledger["taken_qty"] = taken_qty
    summarise(lane, venue)
    _append_apart(s, lane, shadows)


@kernel
def _react_line(event, s, k, touched, shadows, venue):
    """Let the end of a line react; whoever is gone leaves, and whoever took displayed size stands apart from now on."""
    line = shadows.lines[s, k]
    end = line["first"] + line["count"]
    from_rank = reach(s, k, venue) if (touched & (MESSAGE_ON_BIDS << k)) != 0 else _reach(event, k, touched, venue.ledgers[s, k])
    kept = _first_at(from_rank, line, shadows)
    for i in range(kept, end):
        lane = shadows.lined[i]["lane"]
        react(event, s, lane, touched, venue)
        if venue.n_orders[lane] == 0:
            _close_lane(lane, shadows)
        elif venue.ledgers[lane, 1 - k]["taken_rank"] != NO_RANK:
            _set_apart(s, lane, shadows, venue)
        else:
            shadows.lined[kept] = shadows.lined[i]
            kept += 1
    if kept < end:
        line["count"] = kept - line["first"]
        _bound(s, k, shadows, venue)


@kernel
def _reach(event, k, touched, ledger):
    """Return the least rank of own orders on side `k` that an event may concern."""
    if (touched & STRAY) != 0:
        return NO_RANK
    if (touched & (PRINT_ON_BIDS << k)) != 0:
        return event["price"] if k == 0 else -event["price"]
    if (touched & (CROSSED_BIDS << k)) == 0:
        return ledger["rank"]
    met = event["ask"] if k == 0 else -event["bid"]
    return min(met, ledger["rank"]) if (touched & (SHOWN_BIDS << k)) != 0 else met


@kernel
def _reunite(s, n_apart, shadows, venue):
    """Place the first `n_apart` of those apart anew after an event; those behind them came during it and stay."""
    line = shadows.aparts[s]
    first = line["first"]
    end = first + line["count"]
    line["count"] = 0
    for i in range(first, end):
        if i < first + n_apart:
            place(s, shadows.apart[i], shadows, venue)
        else:
            _append_apart(s, shadows.apart[i], shadows)


@kernel
def forget_apart(s, shadows, venue):
    """Let the shadows that stand apart forget the display as their symbol does (rule 18)."""
    line = shadows.aparts[s]
    for i in range(line["first"], line["first"] + line["count"]):
        for k in range(2):
            forget_display(venue.ledgers[shadows.apart[i], k])
