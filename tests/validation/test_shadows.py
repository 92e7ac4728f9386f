"""Shadow orders: what is hidden from them, when they live, what they get."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fills import QueueModel, simulate
from fills.queue import DISPLAY_MODELS
from replay.validation.degrade import degrade, full_feed
from replay.validation.outcomes import Verdict, filled_within, judge
from replay.validation.plays import lives
from replay.validation.shadows import NEVER_NS, PATIENCE_NS, play_shadows, shadow_orders
from replay.validation.truth import real_orders
from tests.validation.worlds import MS_NS, START_NS, SYMBOL, TICK, message, opening, packet, session

MINE = 77


def shadows_of(tape: list) -> tuple[pd.DataFrame, object]:
    whole = session(tape)
    shadows = shadow_orders(real_orders(whole, SYMBOL), whole)
    return shadows[shadows["real_id"].isin([MINE, 4, 1, 2])], whole


def test_a_shadow_that_joins_fills_with_the_print_that_filled_the_real_order() -> None:
    """Behind 300 lots, a print of them all and one of ours: the shadow fills at that very moment."""
    tape = [*opening(), message(5, "add", MINE, 1, 100, 50), message(6, "execute", 9000, 1, 100, 300)]
    tape += [message(7, "execute", MINE, 1, 100, 50), message(8, "add", 3, 1, 100, 10)]
    shadows, whole = shadows_of(tape)
    judged = judge(shadows, play_shadows(whole, shadows, QueueModel.BEHIND_FIRST))

    assert [Verdict.SAME] == judged["verdict"].tolist()
    assert [0.0] == judged["error_s"].tolist()


def test_the_shadow_of_a_cancelled_order_ends_before_its_cancel_is_seen() -> None:
    """A print in the nanosecond of the real cancel comes too late; one before it makes the fill wrong."""
    early = [*opening(qty=10), message(5, "add", MINE, 1, 100, 50), message(6, "execute", 9000, 1, 100, 10)]
    hidden = message(7, "execute_hidden", 0, 1, 100, 50)
    for at_ms, expected in ((9, Verdict.RIGHT), (8, Verdict.RIGHT)):
        tape = [*early, message(8, "delete", MINE, 1, 100, 50), hidden | {"ts_ns": START_NS + at_ms * MS_NS}]
        shadows, whole = shadows_of(sorted(tape, key=lambda row: row["ts_ns"]))
        judged = judge(shadows, play_shadows(whole, shadows, QueueModel.BEHIND_FIRST))
        assert [expected] == judged["verdict"].tolist()


def test_a_filled_order_waits_thirty_seconds_and_no_longer() -> None:
    """A shadow that is late fills within 30 s of the real fill, or never."""
    for wait_s, expected in ((29, Verdict.LATER), (31, Verdict.NEVER)):
        tape = [*opening(), message(5, "add", MINE, 1, 100, 50), message(6, "delete", 9000, 1, 100, 100)]
        tape += [message(7, "execute", 9000, 1, 100, 200), message(8, "add", 3, 1, 100, 500)]
        tape += [message(9, "execute", MINE, 1, 100, 50), message(9 + 1000 * wait_s, "execute", 3, 1, 100, 500)]
        shadows, whole = shadows_of(tape)
        judged = judge(shadows, play_shadows(whole, shadows, QueueModel.TRADES_ONLY))
        assert [expected] == judged["verdict"].tolist()


def test_in_a_packet_a_shadow_stands_behind_those_who_came_before_it() -> None:
    """Three orders with one time stamp make a new bid; the shadow of the last fills with its own print, not with the first."""
    new = packet(5, *(message(5, "add", order_id, 1, 101, 5) for order_id in (1, 2, MINE)))
    prints = [message(6 + k, "execute", order_id, 1, 101, 5) for k, order_id in enumerate((1, 2, MINE))]
    shadows, whole = shadows_of([*opening(), *new, *prints, message(9, "add", 3, 1, 100, 10)])
    judged = judge(shadows, play_shadows(whole, shadows, QueueModel.BEHIND_FIRST))

    assert [False] * 3 == shadows["is_marketable"].tolist()
    assert [Verdict.SAME] * 3 == judged["verdict"].tolist()


def test_in_a_packet_a_shadow_is_withdrawn_where_the_real_order_was() -> None:
    """A print that comes before the cancel in its packet fills the shadow, wrongly; one that comes after it does not."""
    start = [*opening(), *(message(5 + k, "add", order_id, 1, 101, 5) for k, order_id in enumerate((1, MINE)))]
    start += [message(7, "delete", 1, 1, 101, 5)]
    fill, cancel = message(8, "execute", 9999, 1, 101, 5), message(8, "delete", MINE, 1, 101, 5)
    for rows, expected in (((fill, cancel), Verdict.WRONG), ((cancel, fill), Verdict.RIGHT)):
        shadows, whole = shadows_of([*start, *packet(8, *rows), message(9, "add", 3, 1, 100, 10)])
        judged = judge(shadows, play_shadows(whole, shadows, QueueModel.BEHIND_FIRST))

        assert [expected] == judged["verdict"][shadows["real_id"] == MINE].tolist()


def matched(print_exch: int, cancel_exch: int, price: int = 101) -> tuple[list, list]:
    """Return verdict and end of our order at 101, before order 1: a print fills that one, our cancel comes 8 us later."""
    tape = [*opening(), message(5, "add", MINE, 1, 101, 5), message(6, "add", 1, 1, 101, 5)]
    fill, late = message(8, "execute", 1, 1, price, 5), message(8.008, "delete", MINE, 1, 101, 5)
    at_ns = fill["ts_ns"] // MS_NS * MS_NS
    tape += [fill | {"exch": at_ns + print_exch}, late | {"exch": at_ns + cancel_exch}, message(9, "add", 3, 1, 100, 10)]
    shadows, whole = shadows_of(tape)
    judged = judge(shadows, play_shadows(whole, shadows, QueueModel.BEHIND_FIRST))
    mine = shadows["real_id"] == MINE
    return judged["verdict"][mine].tolist(), shadows["is_matched"][mine].tolist()


def test_an_order_that_a_match_takes_out_ends_before_the_print() -> None:
    """A cancel with the very exchange time of a print at its price was part of it; one with another, or a coarse one, was not."""
    assert ([Verdict.RIGHT], [True]) == matched(-500, -500)
    assert ([Verdict.WRONG], [False]) == matched(-500, -499)
    assert ([Verdict.WRONG], [False]) == matched(0, 0)


def test_an_order_that_moves_to_trade_ends_with_its_cancel() -> None:
    """Where the print is beyond the other side, nobody reached the order: its own owner moved it there."""
    verdict, is_matched = matched(-500, -500, price=102)

    assert ([Verdict.RIGHT], [False]) == (verdict, is_matched)


def test_what_was_left_of_an_aggressor_is_not_played() -> None:
    """An order that level 1 would let take the other side at its arrival is told apart: it is no resting order."""
    tape = [*opening(), message(5, "execute", 9002, -1, 102, 300), message(5, "add", MINE, 1, 102, 50)]
    tape += [message(6, "add", 4, 1, 102, 20), message(7, "delete", 4, 1, 102, 20), message(8, "delete", MINE, 1, 102, 50)]
    shadows, _ = shadows_of(tape)

    assert [True, False] == shadows["is_marketable"].tolist()


def test_chances_count_from_arrival() -> None:
    """Filled within h means no later than h after the arrival."""
    shadows = pd.DataFrame({"arrival_ns": [0, 0, 0]})
    whole_ns = np.array([1_000_000_000, 1_000_000_001, NEVER_NS])

    assert [1.0, 0.0, 0.0] == filled_within(shadows, whole_ns, 1.0).tolist()


STEP = st.tuples(
    st.sampled_from(("add", "add", "delete", "execute", "execute")),
    st.sampled_from((1, 1, -1)),
    st.integers(-1, 1),
    st.integers(1, 5),
)


def market(steps: list, joins_at: int, qty: int) -> tuple[list, int]:
    """Play steps on a small book; our real order joins the best bid after `joins_at` steps. Return the tape and its price."""
    tape = [*opening(qty=8)]
    book = {row["id"]: dict(row) for row in tape}
    mine = 0
    for k, (action, side, offset, size) in enumerate(steps):
        ms = 1 + k
        if k == joins_at:
            mine = max(row["price"] for row in book.values() if row["side"] > 0) // TICK
            tape.append(message(ms - 0.5, "add", MINE, 1, mine, qty))
            book[MINE] = dict(tape[-1])
        best = (max if side > 0 else min)(row["price"] for row in book.values() if row["side"] == side) // TICK
        if action == "add":
            other = (min if side > 0 else max)(row["price"] for row in book.values() if row["side"] == -side) // TICK
            price = best - side * offset
            if side * (other - price) > 0:
                tape.append(message(ms, "add", 100 + k, side, price, size))
                book[100 + k] = dict(tape[-1])
            continue
        queue = [row for row in book.values() if row["side"] == side and row["price"] == best * TICK]
        row = queue[0] if action == "execute" else queue[size % len(queue)]
        is_last = sum(other["side"] == side and other["id"] != MINE for other in book.values()) < 3
        if is_last or (action == "delete" and row["id"] == MINE):
            continue
        taken = min(size, row["qty"]) if action == "execute" else row["qty"]
        tape.append(message(ms, action, row["id"], side, best, taken))
        row["qty"] -= taken
        if row["qty"] == 0:
            del book[row["id"]]
    return tape, mine


@given(st.lists(STEP, min_size=3, max_size=40), st.integers(0, 6), st.integers(1, 4), st.sampled_from(DISPLAY_MODELS))
def test_a_shadow_learns_nothing_from_the_order_it_stands_for(steps: list, joins_at: int, qty: int, model: QueueModel) -> None:
    """Until the real order trades, its shadow gets what it gets in a market from which the real order is truly absent.

    There the level falls away where only the real order held it up, and the next price is shown; here the level stays, because
    the real order is displayed. The fills, to the share and the nanosecond, are the same.
    """
    assume(joins_at < len(steps))
    tape, price = market(steps, joins_at, qty)
    first_ns = min((row["ts_ns"] for row in tape if row["id"] == MINE and row["action"] == "execute"), default=2**62)
    given_order = {
        "order_id": [1],
        "symbol": SYMBOL,
        "side": "BUY",
        "qty": qty,
        "limit_price": price * TICK / 10_000,
        "tif": "DAY",
    }
    arrival_ns = next(row["ts_ns"] for row in tape if row["id"] == MINE)
    real, absent = session(tape), session(tape, hidden_id=MINE)
    seen = simulate(real, pd.DataFrame(given_order | {"ts_ns": arrival_ns}), model, 0, True, own_in_book=True)
    alone = simulate(absent, pd.DataFrame(given_order | {"ts_ns": arrival_ns - 1}), model, 0, True)

    assert fills_until(first_ns, alone) == fills_until(first_ns, seen)


def fills_until(end_ns: int, fills: pd.DataFrame) -> list:
    """Return the fills up to the moment of the first real one."""
    return [(int(row.ts_ns), row.price, row.qty) for row in fills.itertuples() if row.ts_ns <= end_ns]


def test_a_poor_clock_widens_the_life_of_an_order() -> None:
    """With times of whole seconds the optimistic life begins a second early, the pessimistic one ends a second early."""
    tape = [
        *opening(),
        message(1500, "add", MINE, 1, 100, 5),
        message(3500, "delete", MINE, 1, 100, 5),
        message(5000, "add", 3, 1, 99, 5),
    ]
    shadows, whole = shadows_of(tape)
    feed = degrade(whole, "seconds")
    spans = [
        lives(shadows, feed, band)[["arrival_ns", "end_ns"]].iloc[0] - START_NS
        for band in ("expected", "optimistic", "pessimistic")
    ]

    assert [(1500, 3500), (500, 3500), (1500, 2500)] == [(span["arrival_ns"] // MS_NS, span["end_ns"] // MS_NS) for span in spans]
    assert shadows is lives(shadows, full_feed(whole), "optimistic")


def test_an_order_known_to_have_rested_waits_until_a_stale_touch_lets_it() -> None:
    """Where the last snapshot still shows an ask that the order would take, it rests from the next snapshot on."""
    tape = [*opening(100, 101), message(260, "execute", 9002, -1, 101, 300), message(270, "add", MINE, 1, 101, 5)]
    tape += [message(900, "delete", MINE, 1, 101, 5)]
    shadows, whole = shadows_of(tape)
    feed = degrade(whole, "snapshots-250ms")
    got = play_shadows(feed.session, lives(shadows, feed, "expected"), QueueModel.BEHIND_FIRST)
    eager = play_shadows(feed.session, lives(shadows, feed, "optimistic"), QueueModel.BEHIND_FIRST)

    assert 500 == (lives(shadows, feed, "expected")["arrival_ns"].iloc[0] - START_NS) // MS_NS
    assert ([0], [5]) == (got["filled_qty"].tolist(), eager["filled_qty"].tolist())


@pytest.mark.parametrize("name", ["trades_only", "behind_first"])
def test_shadows_do_not_meet_each_other(name: str) -> None:
    """Each shadow is alone in the market: two real orders at one price each see the whole of a print."""
    tape = [
        *opening(qty=10),
        message(5, "add", 1, 1, 100, 5),
        message(6, "add", 2, 1, 100, 5),
        message(7, "execute", 9000, 1, 100, 10),
    ]
    tape += [message(8, "execute", 1, 1, 100, 5), message(9, "execute", 2, 1, 100, 5), message(10, "add", 3, 1, 100, 5)]
    shadows, whole = shadows_of(tape)

    assert [Verdict.SAME] * 2 == judge(shadows, play_shadows(whole, shadows, name))["verdict"].tolist()
    assert PATIENCE_NS == 30 * 10**9
