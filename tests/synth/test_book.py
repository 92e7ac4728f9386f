"""The compiled book against the naive one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from replay.synth.book import empty_book, join, take
from tests.naive.synth_book import NaiveBook

N_LEVELS = 12
DEED = st.tuples(
    st.sampled_from(["join", "join", "take"]), st.sampled_from([1, -1]), st.integers(0, N_LEVELS - 1), st.integers(1, 300)
)


def queue(book, level):
    """Walk a level's queue from its oldest order to its newest."""
    slot, orders = book.levels[level]["oldest"], []
    while slot >= 0:
        orders.append((int(book.orders[slot]["order_id"]), int(book.orders[slot]["qty"])))
        slot = book.orders[slot]["newer"]
    return orders


def play(deed, book, naive):
    """Do the same to both books."""
    action, side, level, qty = deed
    if action == "join":
        slot = join(book, side, level, qty, 0)
        order_id = naive.join(side, level, qty)
        assert order_id == (int(book.orders[slot]["order_id"]) if slot >= 0 else None)
    elif naive.orders:
        order = naive.orders[(level * 31 + qty) % len(naive.orders)]
        part = min(qty, order["qty"])
        slots = book.live[: book.tally[0]["n_live"]]
        slot = next(int(k) for k in slots if book.orders[k]["order_id"] == order["order_id"])
        take(book, slot, part)
        naive.take(order["order_id"], part)


@given(st.lists(DEED, max_size=60))
def test_book_equals_the_naive_one(deeds):
    """After any orders and reductions, touch, queues and order counts are those of the naive book."""
    book, naive = empty_book(64, N_LEVELS), NaiveBook(N_LEVELS)
    for deed in deeds:
        play(deed, book, naive)

        assert [naive.best(1), naive.best(-1)] == book.best.tolist()
        assert [naive.queue(level) for level in range(N_LEVELS)] == [queue(book, level) for level in range(N_LEVELS)]
        assert [sum(qty for _, qty in naive.queue(level)) for level in range(N_LEVELS)] == book.levels["qty"].tolist()
        assert [sum(order["side"] == side for order in naive.orders) for side in (1, -1)] == book.n_orders.tolist()


def test_full_book_refuses():
    """A book without a free slot refuses an order and stays as it is."""
    book = empty_book(2, N_LEVELS)
    slots = [join(book, 1, 3, 100, 0) for _ in range(3)]

    assert -1 == slots[2]
    assert 200 == book.levels[3]["qty"]


def test_live_stays_a_permutation():
    """Leaving and joining never loses a slot."""
    book = empty_book(4, N_LEVELS)
    for k in range(4):
        join(book, 1, k, 100, 0)
    for slot in (2, 0):
        take(book, slot, 100)
    join(book, 1, 5, 100, 0)

    assert np.array_equal(np.arange(4), np.sort(book.live))
    assert 3 == book.tally[0]["n_live"]
