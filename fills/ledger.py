"""One side's ledger of liquidity: what the display shows, what fell without a print, what printed without a fall.

These kernels run for every event of the tape, whether or not anybody of ours is there. Which side an event changes, and whether
it grows or shrinks it, no processor can foresee: so both cases are computed and one is chosen, where a branch would be guessed
wrong every second time (measured: 37 ns per event; 39 with branches, which need fewer instructions). True means that own orders
must react.
"""

from fills.venue import NO_RANK
from replay.jit import kernel, leaf

RESIZED = 1
MOVED = 2
UNSEEN = -1  # in `seq`: nothing was shown since a halt or gap


@leaf
def resize(ledger, qty, now_ns, wait_ns):
    """Book the size shown at the same touch: pair a fall with prints already seen (rule 9); what is left is a cancel, for now."""
    forget_pairs(ledger, now_ns)
    fall = max(ledger["qty"] - qty, 0)
    print_qty = ledger["print_qty"]
    drop_qty = ledger["drop_qty"]
    drop = max(fall - print_qty, 0)
    is_first = (drop > 0) & (drop_qty == 0)
    ledger["qty"] = qty
    ledger["print_qty"] = max(print_qty - fall, 0)
    ledger["drop_qty"] = drop_qty + drop
    ledger["drop_until_ns"] = now_ns + wait_ns if is_first else ledger["drop_until_ns"]
    if (fall > 0) & (ledger["best_rank"] >= ledger["rank"]) & (ledger["worst_rank"] <= ledger["rank"]):
        ledger["change"] = RESIZED
        ledger["fresh_drop_qty"] = drop
        ledger["is_first_drop"] = 1 if is_first else 0
        return True
    return False


@kernel
def move(ledger, rank, qty, now_ns, wait_ns):
    """Start the new touch (NO_RANK = that side is empty); keep for a while what the old one left unexplained (rules 4, 5, 9)."""
    forget_pairs(ledger, now_ns)
    old_rank = ledger["rank"]
    ledger["change"] = MOVED
    ledger["n_moves"] += 1
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
    ledger["drop_qty"] = ledger["drop_qty"] if now_ns <= ledger["drop_until_ns"] else 0
    ledger["print_qty"] = ledger["print_qty"] if now_ns <= ledger["print_until_ns"] else 0


@leaf
def hear(ledger, rank, qty, now_ns, wait_ns):
    """Book a print, and how much of it explains a drop shown before (rule 9); True when own orders are at or beyond it."""
    explained = 0
    ledger["heard_ns"] = now_ns
    if rank == ledger["rank"]:
        forget_pairs(ledger, now_ns)
        print_qty = ledger["print_qty"]
        explained = min(qty, ledger["drop_qty"])
        ledger["drop_qty"] -= explained
        ledger["print_until_ns"] = now_ns + wait_ns if print_qty == 0 else ledger["print_until_ns"]
        ledger["print_qty"] = print_qty + qty - explained
    elif rank == ledger["gone_rank"]:
        if now_ns <= ledger["gone_until_ns"]:
            explained = min(qty, ledger["gone_drop_qty"])
        ledger["gone_drop_qty"] -= explained
    ledger["explained_qty"] = explained
    return ledger["best_rank"] >= rank


@leaf
def awaits_print(ledger, rank, now_ns):
    """Tell by 1 or 0 whether a fall of the display at that price waits for its print."""
    is_gone = rank == ledger["gone_rank"]
    drop_qty = ledger["gone_drop_qty"] if is_gone else ledger["drop_qty"]
    until_ns = ledger["gone_until_ns"] if is_gone else ledger["drop_until_ns"]
    return 1 if (is_gone | (rank == ledger["rank"])) & (drop_qty > 0) & (now_ns <= until_ns) else 0


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
