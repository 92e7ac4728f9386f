"""The rebuilt book against its naive twin, and against rules stated in its docstring."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.importers.book import Deed, rebuild_book
from tests.naive import book as naive

pytestmark = pytest.mark.jit_off

DEEDS = [Deed.ADD, Deed.ADD, Deed.ADD, Deed.REDUCE, Deed.DELETE, Deed.EXECUTE, Deed.MODIFY, Deed.CLEAR, Deed.FILL, Deed.NOTHING]
MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(DEEDS),
        st.integers(1, 6).map(lambda number: number * 10**12),
        st.sampled_from([1, -1]),
        st.integers(99, 104),
        st.integers(1, 5),
        st.sampled_from([True, True, False]),
    ),
    min_size=1,
    max_size=60,
)


def rebuild(messages):
    columns = [np.array(column) for column in zip(*messages, strict=True)]
    return rebuild_book(*columns)


@given(MESSAGES)
def test_rebuilt_book_equals_the_naive_one(messages) -> None:
    """Touches and effects of any messages are those of a book that is looked through order by order."""
    touches, effects = naive.rebuild(messages)
    rebuilt = rebuild(messages)

    assert touches == [tuple(int(v) for v in touch) for touch in rebuilt.touches]
    assert effects == [tuple(int(v) for v in effect) for effect in rebuilt.effects]


@given(MESSAGES, st.integers(1, 60))
def test_longer_file_has_the_same_beginning(messages, cut) -> None:
    """What follows a message changes nothing of what came before it."""
    whole, part = rebuild(messages), rebuild(messages[:cut])
    n = len(messages[:cut])

    assert part.effects.tolist() == whole.effects[:n].tolist()
    assert part.touches.tolist() == whole.touches[whole.touches["row"] < n].tolist()


@given(MESSAGES)
def test_mirrored_messages_give_the_mirrored_book(messages) -> None:
    """Sides exchanged and prices reflected give the reflected touches."""
    mirrored = [(deed, oid, -side, 300 - price, qty, end) for deed, oid, side, price, qty, end in messages]
    touches = [(r, 300 - a if aq else 0, aq, 300 - b if bq else 0, bq) for r, b, bq, a, aq in rebuild(messages).touches.tolist()]

    assert touches == rebuild(mirrored).touches.tolist()


def test_fill_and_the_cancel_that_explains_it_take_the_size_once() -> None:
    """A FILL executes, and the REDUCE of the same event takes nothing more (rule B4)."""
    rebuilt = rebuild([(Deed.ADD, 7, 1, 100, 5, True), (Deed.FILL, 7, 1, 100, 2, False), (Deed.REDUCE, 7, 1, 100, 2, True)])

    assert [(0, 100, 5), (2, 100, 3)] == [(t[0], t[1], t[2]) for t in rebuilt.touches.tolist()]
    assert [Deed.ADD, Deed.EXECUTE, Deed.NOTHING] == rebuilt.effects["deed"].tolist()


def test_cancel_after_the_event_is_a_cancel() -> None:
    """The explanation ends with the event: a later REDUCE is a cancel of its own."""
    rebuilt = rebuild([(Deed.ADD, 7, 1, 100, 5, True), (Deed.FILL, 7, 1, 100, 2, True), (Deed.REDUCE, 7, 1, 100, 2, True)])

    assert [5, 3, 1] == rebuilt.touches["bid_qty"].tolist()


def test_unknown_order_changes_nothing() -> None:
    """An execution of an order from before the file is UNKNOWN and leaves the book alone (rule B3)."""
    rebuilt = rebuild([(Deed.ADD, 1, -1, 100, 5, True), (Deed.EXECUTE, 2, -1, 100, 5, True)])

    assert [Deed.ADD, Deed.UNKNOWN] == rebuilt.effects["deed"].tolist()
    assert 1 == len(rebuilt.touches)
