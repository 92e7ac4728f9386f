"""The prices of a plan, on the tick grid, always rounded to the safe side.

Original form (the numbers are the rules of `strategy.simple_plan`)::

    rule 1   entry   mid, down for buys, up for sells
    rule 4   exit    opposite touch, up for buys, down for sells, so that it stays marketable
             cap     exit start + side floor(start exit_slippage_bps / 1e4), whole ticks
    rule 2   step    one tick towards the opposite touch (entry) or all the way up to the cap (exit), never beyond that touch

Enhanced form, with x the share of the way from the own touch to the opposite one (`strategy.micro_plan` says which x when)::

    limit(x) = own touch + side floor(x spread), rounded away from the opposite touch;   x = 1: the opposite touch
    cap      = mid at the start + side floor(mid entry_slippage_bps / 1e4), rounded towards the start (entry); rule 4's (exit)
"""

from replay.jit import kernel
from replay.orders import Side


@kernel
def mid_price(side, book_row):
    """Return the mid of a usable quote on the tick grid, rounded away from the opposite touch (rule 1)."""
    mid2 = book_row["bid"] + book_row["ask"]
    step = 2 * book_row["tick"]
    if side > 0:
        return mid2 // step * book_row["tick"]
    return -(-mid2 // step) * book_row["tick"]


@kernel
def opposite_price(side, book_row):
    """Return the opposite touch on the tick grid, rounded so that it stays marketable."""
    tick = book_row["tick"]
    if side > 0:
        return -(-book_row["ask"] // tick) * tick
    return book_row["bid"] // tick * tick


@kernel
def cap_price(side, price, tick, params):
    """Return how far an exit that starts at `price` may go, on the tick grid."""
    ticks = int(price * params[0]["exit_slippage_bps"] / 10_000.0) // tick
    return price + side * ticks * tick


@kernel
def step_price(plan, book_row):
    """Return the price of rule 2 (entry) or rule 4 (exit); never worse for us than the opposite touch or the cap."""
    side = plan["side"]
    bound = opposite_price(side, book_row)
    wanted = plan["cap_price"] if plan["is_exit"] else plan["price"] + side * book_row["tick"]
    if side == Side.BUY:
        return min(wanted, bound)
    return max(wanted, bound)


@kernel
def mid_cap_price(side, mid2, tick, slippage_bps):
    """Return the cap of the enhanced form: `slippage_bps` beyond a mid, on the tick grid."""
    reach2 = int(mid2 * slippage_bps / 10_000.0)
    if side > 0:
        return (mid2 + reach2) // (2 * tick) * tick
    return -(-(mid2 - reach2) // (2 * tick)) * tick


@kernel
def limit_price(side, share, cap, book_row):
    """Return limit(share) of a usable quote, within the cap."""
    tick = book_row["tick"]
    way = int(share * (book_row["ask"] - book_row["bid"]))
    if side > 0:
        price = opposite_price(side, book_row) if share >= 1.0 else (book_row["bid"] + way) // tick * tick
        return min(price, cap)
    price = opposite_price(side, book_row) if share >= 1.0 else -(-(book_row["ask"] - way) // tick) * tick
    return max(price, cap)
