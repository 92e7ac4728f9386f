"""One side's ledger of liquidity: what the display shows, what fell without a print, what printed without a fall.

These kernels see rows only, no orders and no tuples, because they run for every event of the tape whether or not anybody of ours
is there: handing a tuple of arrays to a function costs some 60 ns, a row nothing. They return True when own orders must react.
"""

from fills.venue import NO_RANK
from replay.jit import kernel, leaf

SAME = 0
RESIZED = 1
MOVED = 2
UNSEEN = -1  # in `seq`: nothing was shown since a halt or gap


@leaf
def show(ledger, rank, qty, seq, now_ns, wait_ns):
    """Book one side of a quote (rank NO_RANK = that side is empty); True when own orders stand where it matters."""
    ledger["seq"] = seq
    if rank == ledger["rank"]:
        if qty == ledger["qty"]:
            ledger["change"] = SAME
            return False
        return _resize(ledger, qty, now_ns, wait_ns)
    return _move(ledger, rank, qty, now_ns, wait_ns)


@kernel
def _resize(ledger, qty, now_ns, wait_ns):
    """Pair a fall with prints already seen (rule 9); what is left is a cancel, for now."""
    forget_pairs(ledger, now_ns)
    fall = ledger["qty"] - qty
    ledger["qty"] = qty
    ledger["change"] = RESIZED
    if fall <= 0:
        return False
    drop = max(fall - ledger["print_qty"], 0)
    ledger["print_qty"] = max(ledger["print_qty"] - fall, 0)
    ledger["fresh_drop_qty"] = drop
    ledger["is_first_drop"] = 1 if drop > 0 and ledger["drop_qty"] == 0 else 0
    if ledger["is_first_drop"] == 1:
        ledger["drop_until_ns"] = now_ns + wait_ns
    ledger["drop_qty"] += drop
    return ledger["best_rank"] >= ledger["rank"] and ledger["worst_rank"] <= ledger["rank"]


@kernel
def _move(ledger, rank, qty, now_ns, wait_ns):
    """Start the new touch, and remember for a while what the old one left unexplained (rules 4, 5 and 9)."""
    forget_pairs(ledger, now_ns)
    old_rank = ledger["rank"]
    ledger["change"] = MOVED
    ledger["is_first_drop"] = 1 if ledger["drop_qty"] == 0 else 0
    if old_rank != NO_RANK:
        left = max(ledger["qty"] - ledger["print_qty"], 0) if rank != NO_RANK and rank < old_rank else 0
        ledger["gone_rank"] = old_rank
        ledger["gone_until_ns"] = now_ns + wait_ns
        ledger["gone_drop_qty"] = ledger["drop_qty"] + left
    if ledger["gone_rank"] == rank:
        ledger["gone_rank"] = NO_RANK
    ledger["rank"] = rank
    ledger["qty"] = qty
    ledger["drop_qty"] = 0
    ledger["print_qty"] = 0
    return rank != NO_RANK and ledger["best_rank"] >= rank


@leaf
def forget_pairs(ledger, now_ns):
    """Forget what has waited long enough, counted from the first of it (rule 9)."""
    if ledger["drop_qty"] > 0 and now_ns > ledger["drop_until_ns"]:
        ledger["drop_qty"] = 0
    if ledger["print_qty"] > 0 and now_ns > ledger["print_until_ns"]:
        ledger["print_qty"] = 0


@leaf
def hear(ledger, rank, qty, now_ns, wait_ns):
    """Book a print, and how much of it explains a drop shown before (rule 9); True when own orders are at or beyond it."""
    explained = 0
    ledger["heard_ns"] = now_ns
    if rank == ledger["rank"]:
        forget_pairs(ledger, now_ns)
        explained = min(qty, ledger["drop_qty"])
        ledger["drop_qty"] -= explained
        if ledger["print_qty"] == 0:
            ledger["print_until_ns"] = now_ns + wait_ns
        ledger["print_qty"] += qty - explained
    elif rank == ledger["gone_rank"]:
        if now_ns <= ledger["gone_until_ns"]:
            explained = min(qty, ledger["gone_drop_qty"])
        ledger["gone_drop_qty"] -= explained
    ledger["explained_qty"] = explained
    return ledger["best_rank"] >= rank


@leaf
def awaits_print(ledger, rank, now_ns):
    """Return True when a fall of the display at that price waits for its print."""
    if rank == ledger["gone_rank"]:
        return ledger["gone_drop_qty"] > 0 and now_ns <= ledger["gone_until_ns"]
    return rank == ledger["rank"] and ledger["drop_qty"] > 0 and now_ns <= ledger["drop_until_ns"]


@kernel
def forget_display(ledger):
    """Forget what was displayed: what follows a halt or a gap is not compared with what was before (rule 18)."""
    ledger["rank"] = NO_RANK
    ledger["qty"] = 0
    ledger["drop_qty"] = 0
    ledger["print_qty"] = 0
    ledger["gone_rank"] = NO_RANK
    ledger["gone_drop_qty"] = 0
    ledger["seq"] = UNSEEN
