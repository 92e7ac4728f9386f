"""The real orders of a session: by hand, against the naive twin, and cut into blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay import Session
from replay.errors import DataError
from replay.events import NO_TIME, MessageAction
from replay.session.tables import MESSAGE
from replay.validation.book import FOLLOW_CTL, Fate, Kind
from replay.validation.truth import _follow, real_orders
from tests.naive import real_orders as naive
from tests.validation.worlds import SECOND_NS, START_NS, SYMBOL, message, opening, session


def names(codes: np.ndarray, words: type) -> list[str]:
    return [words(int(code)).name.lower() for code in codes]  # type: ignore[call-arg]


def test_an_order_that_joins_is_told_with_its_queue_and_its_fate() -> None:
    """A join knows who stands ahead, the spread before it came, when it was filled and how often."""
    tape = [*opening(), message(5, "add", 1, 1, 100, 50), message(6, "execute", 9000, 1, 100, 300)]
    tape += [message(7, "execute", 1, 1, 100, 20), message(9, "execute", 1, 1, 100, 30)]
    truth = real_orders(session(tape), SYMBOL)
    order = truth.orders[0]

    assert 1 == len(truth.orders)
    assert ("join", "filled") == (Kind(order["kind"]).name.lower(), Fate(order["fate"]).name.lower())
    assert (300, 200, 50, 2) == (order["ahead_qty"], order["spread"], order["filled_qty"], order["n_fills"])
    assert [7, 9] == ((truth.fills["ts_ns"] - START_NS) // 10**6).tolist()
    assert START_NS + 9 * 10**6 == order["end_ns"]


def test_classes_that_are_not_scored_are_counted_by_name() -> None:
    """Behind, crossing, snapshot, part-then-cancelled and open orders each have a count; none of them is scored."""
    tape = [*opening(), message(1, "add", 1, 1, 99, 10), message(2, "add", 2, 1, 103, 10), message(2.5, "delete", 2, 1, 103, 10)]
    tape += [message(3, "add", 3, 1, 100, 10), message(4, "execute", 3, 1, 100, 4), message(5, "delete", 3, 1, 100, 6)]
    tape += [message(6, "add", 4, -1, 102, 10), message(7, "add", 5, 1, 100, 10), message(8, "delete", 5, 1, 100, 10)]
    truth = real_orders(session(tape), SYMBOL)

    assert [5] == truth.scored["order_id"].tolist()
    expected = {"open": 1, "part_cancelled": 1, "cleared": 0, "behind": 1, "crossing": 1, "alone": 0, "snapshot": 4}
    assert expected == truth.excluded


def test_a_smaller_order_keeps_its_place_and_a_moved_one_starts_anew() -> None:
    """A reduction leaves one order in its place; a change of price ends it and starts another of the same id."""
    tape = [
        *opening(),
        message(1, "add", 1, 1, 100, 50),
        message(2, "modify", 1, 1, 100, 30),
        message(3, "modify", 1, 1, 101, 30),
    ]
    tape += [message(4, "execute", 1, 1, 101, 30)]
    orders = real_orders(session(tape), SYMBOL).orders

    assert [(1, 50), (1, 30)] == [(int(row["order_id"]), int(row["qty"])) for row in orders]
    assert ["join", "improve"] == names(orders["kind"], Kind)
    assert ["cancelled", "filled"] == names(orders["fate"], Fate)


def test_only_arrivals_of_the_window_are_returned_with_fates_from_beyond_it() -> None:
    """The window chooses arrivals; what becomes of them is read to the end of the stream."""
    tape = [*opening(), message(1, "add", 1, 1, 100, 5), message(20, "add", 2, 1, 100, 5), message(90, "delete", 2, 1, 100, 5)]
    tape += [message(95, "delete", 1, 1, 100, 5)]
    orders = real_orders(session(tape), SYMBOL, start_ns=START_NS + 10 * 10**6, end_ns=START_NS + 30 * 10**6).orders

    assert [2] == orders["order_id"].tolist()
    assert ["cancelled"] == names(orders["fate"], Fate)


def test_activity_counts_the_last_second() -> None:
    """Activity is what came in the running second, and of the one before it the share that the last second covers."""
    tape = [*opening(), *(message(1250, "add", 10 + k, 1, 99, 1) for k in range(8)), message(2500, "add", 1, 1, 100, 5)]
    order = real_orders(session(tape), SYMBOL).orders[0]

    assert 1 + 8 * (SECOND_NS - SECOND_NS // 2) // SECOND_NS == order["activity"]


def test_a_session_without_messages_is_refused() -> None:
    """Where nobody recorded the fate of orders, the error says which data do."""
    whole = session([*opening(), message(1, "add", 1, 1, 100, 5)])
    bare = Session.from_frames(quotes=whole.quotes(prices="float").drop(columns="seq"))

    with pytest.raises(DataError, match="no messages of 'ALFA'"):
        real_orders(bare, SYMBOL)


ACTIONS = ("add", "add", "add", "modify", "reduce", "delete", "execute", "execute", "clear")
STEP = st.tuples(
    st.sampled_from(ACTIONS),
    st.integers(1, 9),
    st.sampled_from((1, -1)),
    st.integers(98, 104),
    st.integers(0, 6),
    st.integers(0, 2),
    st.sampled_from((0, 0, 0, 61 * 10**9, None)),
)


@pytest.mark.jit_off
@given(st.lists(STEP, min_size=1, max_size=60), st.integers(1, 20))
def test_the_kernel_is_its_naive_twin(steps: list, block: int) -> None:
    """On any stream of messages, cut into any blocks, kernel and plain Python agree about every order and every count."""
    tape, ts_ns = [], START_NS
    for action, order_id, side, price, qty, wait, age in steps:
        ts_ns += wait
        exch = None if age is None else ts_ns - age
        tape.append({"ts_ns": ts_ns, "action": action, "id": order_id, "side": side, "price": price, "qty": qty, "exch": exch})
    expected, counts = naive.real_orders(tape)
    orders, fills, found = follow_in_blocks(tape, block)

    assert [(o.id, o.kind, o.ahead, o.spread, o.fate) for o in expected] == [
        (int(row["order_id"]), Kind(row["kind"]).name.lower(), row["ahead_qty"], row["spread"], Fate(row["fate"]).name.lower())
        for row in orders
    ]
    assert [(o.end, sum(q for _, q in o.fills)) for o in expected if o.fate != "open"] == [
        (row["end_ns"], row["filled_qty"]) for row in orders if row["fate"] != Fate.OPEN
    ]
    assert [fill for o in expected for fill in o.fills] == [
        (int(fill["ts_ns"]), int(fill["qty"])) for k in range(len(expected)) for fill in fills[fills["track"] == k]
    ]
    assert counts == {Kind(k).name.lower(): int(n) for k, n in enumerate(found) if n}


def follow_in_blocks(tape: list, block: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = np.zeros(len(tape), MESSAGE)
    for row, step in zip(rows, tape, strict=True):
        row["ts_ns"], row["order_id"], row["side"] = step["ts_ns"], step["id"], step["side"]
        row["price"], row["qty"], row["action"] = step["price"], step["qty"], MessageAction[step["action"].upper()]
        row["exch_ts_ns"] = NO_TIME if step["exch"] is None else step["exch"]
    counts, ctl = np.zeros(len(Kind), np.int64), np.zeros(1, FOLLOW_CTL)
    ctl["first_ns"] = tape[0]["ts_ns"]
    parts = list(_follow((rows[k : k + block] for k in range(0, len(rows), block)), np.unique(rows["price"]), counts, ctl))
    orders = np.concatenate([part for part, _ in parts])
    return orders[np.argsort(orders["track"])], np.concatenate([part for _, part in parts]), counts
