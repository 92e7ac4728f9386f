"""What bars fill where bars are all the evidence there is (rule 34)."""

from fills.record import compact, has_room, write_fill
from fills.venue import HELD_RANK, Rule
from replay.jit import kernel
from replay.orders import Evidence, Liquidity, OrderType

TRADES = 0  # index into WHAT_TO_SHOW


@kernel
def on_bar(bars, events, i, s, row, venue):
    """Let a bar that just ended fill the own orders of the venue's symbol `s`, whose market is `row`, in time priority."""
    event = events[i]
    bar = bars[event["row"]]
    if row["evidence"] != Evidence.BARS or row["status"] != 0 or bar["what"] != TRADES or venue.n_orders[s] == 0:
        return
    if not has_room(venue.n_orders[s], venue):
        return
    ctl = venue.ctl[0]
    ctl["now_ns"] = event["ts_ns"]
    ctl["source_seq"] = event["seq"]
    ctl["source_venue"] = -1
    ctl["evidence"] = row["evidence"]
    choice = venue.choices[row["evidence"]]
    left = max(bar["volume"], 0) * choice["bar_percent"] // 100
    for slot in range(venue.n_orders[s]):
        order = venue.orders[s, slot]
        fill = min(left, order["leaves_qty"])
        if fill > 0 and order["since_ns"] <= bar["start_ts_ns"] and _is_reached(order, bar, choice["has_bar_touch"]):
            left -= fill
            liquidity = Liquidity.REMOVE if order["type"] == OrderType.MARKET else Liquidity.ADD
            write_fill(s, slot, _price_in(order, bar), fill, -1, Rule.BAR, liquidity, venue)
    compact(s, venue)


@kernel
def _is_reached(order, bar, has_touch):
    """Tell whether the bar went through an order's limit, or reached it where that is enough."""
    if order["rank"] == HELD_RANK:
        return False
    far_rank = -bar["low"] if order["side"] > 0 else bar["high"]
    return order["rank"] + far_rank >= 1 - has_touch


@kernel
def _price_in(order, bar):
    """Return the limit of an order, but no price beyond the worst that the bar saw."""
    worst_rank = bar["high"] if order["side"] > 0 else -bar["low"]
    return order["side"] * min(order["rank"], worst_rank)
