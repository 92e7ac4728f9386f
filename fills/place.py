"""The place of one own order in its queue: the queue model at work, and the bounds that no model may leave (rules 1, 4, 6, 7).

Whatever a model says, what is ahead is never negative, never grows while the order rests, and never exceeds the displayed size
while the level is visible (TRADES_ONLY excepted: there only prints count).
"""

from fills.queue import (
    ALL_AHEAD,
    FITTED,
    MICRO,
    OWN,
    UNKNOWN,
    on_fitted_fall,
    on_fitted_return,
    on_join,
    on_level_change,
    on_match,
    on_trade,
)
from fills.venue import NO_RANK
from replay.events import NO_TIME
from replay.jit import call_address, kernel


@kernel
def join_queue(order, shown_qty, floor_qty, ledger, venue):
    """Set what is ahead of an order that joins where `shown_qty` stands, behind own orders with `floor_qty` ahead of them."""
    ctl = venue.ctl[0]
    order["join_ns"] = ctl["now_ns"]
    order["seen_ns"] = ctl["now_ns"]
    order["seen_moves"] = ledger["n_moves"]
    order["spare_micro"] = 0
    if ctl["model"] == OWN:
        said = call_address(ctl["own_join"], (shown_qty,))
        order["ahead_qty"] = max(min(max(said, 0), shown_qty), floor_qty)
    else:
        order["ahead_qty"] = on_join(ctl["model"], shown_qty, floor_qty)


@kernel
def after_fall(order, drop_qty, ledger, other, venue):
    """Lower what is ahead of an order after the display of its level fell, `drop_qty` of it unexplained by prints."""
    ctl = venue.ctl[0]
    model = ctl["model"]
    if model < FITTED or order["ahead_qty"] >= UNKNOWN:
        order["ahead_qty"] = on_level_change(min(model, FITTED), order["ahead_qty"], drop_qty, ledger["qty"], ctl["power"])
        return
    age_ns = ctl["now_ns"] - order["join_ns"]
    quiet_ns = ctl["now_ns"] - ledger["heard_ns"]
    spread = -(ledger["rank"] + other["rank"]) // max(order["tick"], 1) if other["rank"] != NO_RANK else 1
    order["seen_ns"] = ctl["now_ns"]
    if model == FITTED:
        ahead_micro = max(order["ahead_qty"] * MICRO - order["spare_micro"], 0)
        lump_qty = drop_qty
        if _is_of_match(ledger, ctl):
            left = on_match(ahead_micro, drop_qty, ledger["qty"])
            lump_qty = min(drop_qty, order["ahead_qty"])  # more than stood ahead took out all of them
        else:
            fit = venue.fits[ctl["symbol"]]
            left = on_fitted_fall(fit, ahead_micro, drop_qty, ledger["qty"], age_ns, float(spread), other["qty"], quiet_ns)
        _set_micro(order, left, max(lump_qty, 1), ledger["qty"])
        return
    most = min(order["ahead_qty"], ledger["qty"])
    said = most
    if drop_qty > 0:
        said = call_address(
            ctl["own_change"], (order["ahead_qty"], drop_qty, ledger["qty"], age_ns, spread, other["qty"], quiet_ns)
        )
    order["ahead_qty"] = min(max(said, 0), most)


@kernel
def after_return(order, ledger, venue):
    """Lower what is ahead of an order whose level is the touch again, or seen for the first time (rules 3 and 4).

    ALL_AHEAD is the optimistic reading of a fitted model: where one was given, it believes no fewer to have left than that.
    """
    ctl = venue.ctl[0]
    model = ctl["model"]
    if model in (FITTED, ALL_AHEAD) and order["ahead_qty"] < UNKNOWN:
        ahead_micro = max(order["ahead_qty"] * MICRO - order["spare_micro"], 0)
        hidden_ns = ctl["now_ns"] - order["seen_ns"]
        n_moves = ledger["n_moves"] - order["seen_moves"]
        fit = venue.fits[min(ctl["symbol"], len(venue.fits) - 1)]
        left = on_fitted_return(fit, ahead_micro, hidden_ns, n_moves, ledger["qty"])
        if model == FITTED:
            _set_micro(order, left, max(order["lot"], 1), ledger["qty"])
        else:
            order["ahead_qty"] = left // MICRO
    else:
        order["ahead_qty"] = on_level_change(min(model, FITTED), order["ahead_qty"], 0, ledger["qty"], ctl["power"])
    order["seen_ns"] = ctl["now_ns"]
    order["seen_moves"] = ledger["n_moves"]


@kernel
def _is_of_match(ledger, ctl):
    """Tell whether the display fell in the very event of the last print, by its exchange time.

    An exchange takes one request at a time: what leaves while it matches one is taken out by the match, as the orders of the
    aggressor's own owner are, and the match reaches those who stand first.
    """
    return ctl["source_exch_ns"] != NO_TIME and ctl["source_exch_ns"] == ledger["heard_exch_ns"]


@kernel
def after_print(front_qty, taken_qty, venue):
    """Return what is left of a quantity ahead after prints took `taken_qty` of it."""
    ctl = venue.ctl[0]
    if ctl["model"] != OWN:
        return on_trade(ctl["model"], front_qty, taken_qty)
    return min(max(call_address(ctl["own_trade"], (front_qty, taken_qty)), 0), front_qty)


@kernel
def set_ahead(order, ahead_qty):
    """Set what is ahead in whole shares; a fraction that FITTED carries is kept only while the whole shares stay as they are."""
    if ahead_qty != order["ahead_qty"]:
        order["spare_micro"] = 0
    order["ahead_qty"] = ahead_qty


@kernel
def take_ahead(order, ahead_qty):
    """Set what is ahead after a print: the fraction that FITTED carries is kept while anybody is ahead."""
    order["ahead_qty"] = ahead_qty
    if ahead_qty == 0:
        order["spare_micro"] = 0


@kernel
def _set_micro(order, ahead_micro, lump_qty, shown_qty):
    """Set what is ahead to an estimate: it falls by whole lumps, for who leaves does so wholly; the rest is carried on."""
    spare = order["ahead_qty"] * MICRO - ahead_micro
    order["ahead_qty"] = min(order["ahead_qty"] - spare // (lump_qty * MICRO) * lump_qty, shown_qty)
    order["spare_micro"] = max(order["ahead_qty"] * MICRO - ahead_micro, 0)
