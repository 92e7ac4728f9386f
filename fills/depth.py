"""What own orders took of displayed and modelled size, level by level, and how an arrival takes it (rules 11, 13, 14, 26).

A side's best taken level stands in its ledger, where every quote meets it; the others lie behind it, worst first.
"""

from fills.record import write_fill
from fills.venue import NO_RANK, Rule
from replay.jit import kernel, leaf
from replay.orders import Liquidity, OrderType, Tif


@leaf
def keep_taken(ledger, rank, qty):
    """Keep the memory in step with one side of a quote; True when levels behind the best one have to be forgotten too."""
    if rank == NO_RANK or rank > ledger["taken_rank"]:
        return False
    if rank == ledger["taken_rank"]:
        ledger["taken_qty"] = min(ledger["taken_qty"], qty)
        return False
    if ledger["n_deep"] == 0:
        ledger["taken_rank"] = NO_RANK
        return False
    return True


@kernel
def forget_passed(s, k, rank, qty, venue):
    """Forget all levels that the touch has left behind it: when they come back they are new (rule 11)."""
    ledger = venue.ledgers[s, k]
    while ledger["taken_rank"] != NO_RANK and rank < ledger["taken_rank"]:
        _drop_best(s, k, venue)
    if rank == ledger["taken_rank"]:
        ledger["taken_qty"] = min(ledger["taken_qty"], qty)


@kernel
def _drop_best(s, k, venue):
    ledger = venue.ledgers[s, k]
    ledger["n_deep"] -= 1
    if ledger["n_deep"] < 0:
        ledger["n_deep"] = 0
        ledger["taken_rank"] = NO_RANK
        return
    level = venue.deep[s, k, ledger["n_deep"]]
    ledger["taken_rank"] = level["rank"]
    ledger["taken_qty"] = level["qty"]


@kernel
def left_of(s, k, rank, qty, venue):
    """Return what own orders have not taken yet of `qty` at a level (rule 11)."""
    ledger = venue.ledgers[s, k]
    if rank == ledger["taken_rank"]:
        return max(qty - ledger["taken_qty"], 0)
    for n in range(ledger["n_deep"]):
        if venue.deep[s, k, n]["rank"] == rank:
            return max(qty - venue.deep[s, k, n]["qty"], 0)
    return qty


@kernel
def take_from(s, k, rank, qty, venue):
    """Book size at a level as taken: it stays taken until the feed shows more of it (rule 11)."""
    ledger = venue.ledgers[s, k]
    if rank == ledger["taken_rank"]:
        ledger["taken_qty"] += qty
    elif ledger["taken_rank"] == NO_RANK:
        ledger["taken_rank"] = rank
        ledger["taken_qty"] = qty
    elif rank > ledger["taken_rank"]:
        _take_deep(s, k, ledger["taken_rank"], ledger["taken_qty"], venue)
        ledger["taken_rank"] = rank
        ledger["taken_qty"] = qty
    else:
        _take_deep(s, k, rank, qty, venue)


@kernel
def _take_deep(s, k, rank, qty, venue):
    """Book size behind the best taken level, in its place; of too many levels the worst is forgotten."""
    ledger = venue.ledgers[s, k]
    deep = venue.deep
    at = ledger["n_deep"]
    while at > 0 and deep[s, k, at - 1]["rank"] >= rank:
        at -= 1
    if at < ledger["n_deep"] and deep[s, k, at]["rank"] == rank:
        deep[s, k, at]["qty"] += qty
        return
    if ledger["n_deep"] == deep.shape[2]:
        if at == 0:
            return
        for n in range(at - 1):
            deep[s, k, n] = deep[s, k, n + 1]
        at -= 1
    else:
        for n in range(ledger["n_deep"], at, -1):
            deep[s, k, n] = deep[s, k, n - 1]
        ledger["n_deep"] += 1
    deep[s, k, at]["rank"] = rank
    deep[s, k, at]["qty"] = qty


@kernel
def take_on_arrival(s, slot, row, venue):
    """Let an order take the displayed other side up to its limit, then the modelled depth beyond (rules 13, 14 and 26)."""
    order = venue.orders[s, slot]
    other = 1 if order["side"] > 0 else 0
    touch_qty = row["ask_qty"] if order["side"] > 0 else row["bid_qty"]
    if row["status"] != 0 or touch_qty <= 0:
        return
    venue.ctl[0]["source_seq"] = venue.ledgers[s, other]["seq"]
    forget_passed(s, other, _other_rank(0, order, row), touch_qty, venue)
    n_levels = 1 + venue.choices[row["evidence"]]["depth_ticks"]
    if order["tif"] == Tif.FOK and _within_reach(s, slot, row, n_levels, venue) < order["leaves_qty"]:
        return
    for k in range(n_levels):
        rank = _other_rank(k, order, row)
        fill = min(_level_left(s, slot, k, row, venue), order["leaves_qty"])
        if fill > 0:
            take_from(s, other, rank, fill, venue)
            rule = Rule.MARKET if order["type"] == OrderType.MARKET else Rule.TAKE
            write_fill(s, slot, -order["side"] * rank, fill, 0, rule if k == 0 else Rule.BEYOND, Liquidity.REMOVE, venue)


@kernel
def _within_reach(s, slot, row, n_levels, venue):
    """Return all that an order could take at once."""
    total = 0
    for k in range(n_levels):
        total += _level_left(s, slot, k, row, venue)
    return total


@kernel
def _level_left(s, slot, k, row, venue):
    """Return what an order can take `k` ticks beyond the other side's touch: 0 beyond its limit."""
    order = venue.orders[s, slot]
    rank = _other_rank(k, order, row)
    if order["rank"] < -rank or (order["side"] < 0 and rank <= 0):
        return 0
    qty = row["ask_qty"] if order["side"] > 0 else row["bid_qty"]
    if k > 0:
        qty = qty * venue.choices[row["evidence"]]["depth_percent"] // 100
    return left_of(s, 1 if order["side"] > 0 else 0, rank, qty, venue)


@kernel
def _other_rank(k, order, row):
    """Return the rank, for the other side, of the level `k` ticks beyond its touch."""
    touch = row["ask"] if order["side"] > 0 else row["bid"]
    return -order["side"] * touch - k * row["tick"]
