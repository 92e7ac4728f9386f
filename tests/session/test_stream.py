"""Streaming: one order, whatever the blocks, symbols and spans."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.errors import UsageError
from replay.events import Kind
from replay.session import Session
from tests.naive.merge import merged_events
from tests.session.days import NAMES, OPEN_NS, SECOND_NS, events_of, frames, in_memory, joined_events, only, to_dollars, write_day

pytestmark = pytest.mark.jit_off
INDEX = {name: i for i, name in enumerate(NAMES)}


def _venue_index(session):
    return {name: i for i, name in enumerate(session.venues)}


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 40),
    st.sampled_from([1, 1_000, SECOND_NS]),
    st.sets(st.sampled_from(NAMES), min_size=1),
)
def test_kernel_equals_plain_sort(seed, n, step_ns, wanted):
    """The kernels yield what a plain sort of all rows by (ts_ns, seq) yields."""
    session = Session.from_frames(**to_dollars(frames(n=n, seed=seed, step_ns=step_ns)), symbols=dict.fromkeys(NAMES))
    index = {name: k for k, name in enumerate(sorted(wanted))}

    assert merged_events([session], index, _venue_index(session)) == events_of(session, index)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 30), st.integers(0, 30))
def test_merged_sessions_equal_plain_sort(seed, first, span):
    """Merged sessions yield what a plain sort by (ts_ns, session, seq) yields, for any span of time and choice of symbols."""
    parts = [in_memory(("CCC", "AAA"), seed), in_memory(("BBB",), seed + 1)]
    session = Session.merge(parts)
    start_ns, end_ns = OPEN_NS + first * SECOND_NS // 4, OPEN_NS + (first + span) * SECOND_NS // 4
    index = {"AAA": 1, "BBB": 0}
    options = {"start_ns": start_ns, "end_ns": end_ns}

    assert merged_events(parts, index, _venue_index(session), **options) == events_of(session, index, **options)


@pytest.mark.parametrize("block_events", [1, 2, 7, 50, 10_000])
@pytest.mark.parametrize("is_merged", [False, True])
def test_block_size_changes_nothing(tmp_path, block_events, is_merged):
    """Blocks of any size give the same events and the same bars."""
    session = Session.open(write_day(tmp_path / "day"))
    if is_merged:
        session = Session.merge([session, in_memory(("DDD",), 3)])

    assert events_of(session) == events_of(session, block_events=block_events)


def test_block_size_changes_no_byte(tmp_path):
    """Without bars, whose row numbers are those of their block, events are equal byte by byte."""
    session = Session.open(write_day(tmp_path / "day", bars=None))

    assert joined_events(session).tobytes() == joined_events(session, block_events=3).tobytes()


def test_blocks_have_the_size_asked_for(tmp_path):
    """All blocks but the last are full, and they share one writable buffer."""
    session = Session.open(write_day(tmp_path / "day"))
    blocks = [
        (len(block.events), block.events.ctypes.data, block.events.flags.writeable) for block in session.blocks(block_events=20)
    ]

    assert [20] * (len(blocks) - 1) == [size for size, _, _ in blocks[:-1]]
    assert {(blocks[0][1], True)} == {(address, is_writable) for _, address, is_writable in blocks}


def test_seq_counts_the_events(tmp_path):
    """`seq` counts 0, 1, 2, ... over all streams, and time never goes back."""
    events = joined_events(Session.open(write_day(tmp_path / "day")))

    assert list(range(len(events))) == events["seq"].tolist()
    assert (np.diff(events["ts_ns"]) >= 0).all()


def test_a_longer_session_has_the_same_beginning(tmp_path):
    """Cutting the future off changes nothing before the cut."""
    days = frames()
    cut_ns = OPEN_NS + 20 * SECOND_NS // 4
    early = {name: frame[frame["ts_ns"] < cut_ns] for name, frame in days.items()}
    whole = events_of(Session.open(write_day(tmp_path / "whole", **days)))
    part = events_of(Session.open(write_day(tmp_path / "part", **early)))

    assert [event for event in whole if event[0] < cut_ns] == part


@pytest.mark.parametrize("is_merged", [False, True])
def test_a_span_is_a_part_of_the_whole(tmp_path, is_merged):
    """`start_ns` and `end_ns` cut a half-open span out of the stream and change no `seq`."""
    session = Session.open(write_day(tmp_path / "day"))
    if is_merged:
        session = Session.merge([session, in_memory(("DDD",), 3)])
    start_ns, end_ns = OPEN_NS + 5 * SECOND_NS // 4, OPEN_NS + 31 * SECOND_NS // 4
    expected = [event for event in events_of(session) if start_ns <= event[0] < end_ns]

    assert expected == events_of(session, start_ns=start_ns, end_ns=end_ns, block_events=11)
    assert [] == events_of(session, start_ns=end_ns, end_ns=start_ns)
    assert [] == events_of(session, start_ns=OPEN_NS + 10**15)


@pytest.mark.parametrize("is_merged", [False, True])
def test_leaving_symbols_out_changes_nothing_for_the_others(tmp_path, is_merged):
    """A choice of symbols leaves the events of the chosen ones as they are, and keeps status for everybody."""
    session = Session.open(write_day(tmp_path / "day"))
    if is_merged:
        session = Session.merge([session, in_memory(("DDD",), 3)])
    expected = [event for event in events_of(session) if event[4] in (-1, 1)]

    assert expected == events_of(session, {"BBB": 1, "unknown": 9})
    assert [event for event in expected if event[4] < 0] == events_of(session, {})


def test_venue_codes_follow_the_run(tmp_path):
    """`venue_index` gives the venue codes; exchanges that it lacks, and prints without one, get -1."""
    session = Session.open(write_day(tmp_path / "day"))
    trades = session.trades()
    events = joined_events(session, venue_index={"N": 5})

    assert {"Q", "N"} == set(session.venues)
    assert [5 if word == "N" else -1 for word in trades["exchange"]] == events["venue"][events["kind"] == Kind.TRADE].tolist()


def test_unused_payload_is_clear(tmp_path):
    """Fields that an event does not use hold nothing from earlier blocks."""
    events = joined_events(Session.open(write_day(tmp_path / "day")), block_events=3)
    trades, status = events[events["kind"] == Kind.TRADE], events[events["kind"] == Kind.STATUS]

    assert not trades["order_id"].any()
    assert not trades["leaves_qty"].any()
    assert not status["order_id"].any()
    assert not status["qty"].any()


@pytest.mark.parametrize("stream", ["quotes", "trades", "bars", "status"])
def test_a_session_may_have_one_stream(tmp_path, stream):
    """A session with a single stream opens and streams."""
    days = frames()
    session = Session.open(write_day(tmp_path / "day", **only(**{stream: days[stream]})))

    assert len(days[stream]) == len(events_of(session)) == session.n_events


def test_a_session_of_messages_has_no_events(tmp_path):
    """A session with messages alone opens, has no events, and streams its messages."""
    messages = frames()["messages"]
    session = Session.open(write_day(tmp_path / "day", **only(messages=messages)))
    rows = np.concatenate(list(session.message_blocks("AAA")))
    expected = session.messages("AAA")

    assert (0, []) == (session.n_events, events_of(session))
    assert expected["order_id"].tolist() == rows["order_id"].tolist()
    assert expected["action"].tolist() == [{1: "add", 3: "delete", 4: "execute"}[int(action)] for action in rows["action"]]
    assert expected["size"].tolist() == rows["qty"].tolist()


def test_messages_of_a_span(tmp_path):
    """`message_blocks` cuts the same half-open span."""
    session = Session.open(write_day(tmp_path / "day"))
    start_ns, end_ns = OPEN_NS + 5 * SECOND_NS // 4, OPEN_NS + 31 * SECOND_NS // 4
    frame = session.messages("BBB")
    rows = np.concatenate(list(session.message_blocks("BBB", start_ns=start_ns, end_ns=end_ns)))

    assert frame[(frame["ts_ns"] >= start_ns) & (frame["ts_ns"] < end_ns)]["seq"].tolist() == rows["seq"].tolist()


def test_a_block_needs_an_event(tmp_path):
    """A block size below one is refused."""
    session = Session.open(write_day(tmp_path / "day"))

    with pytest.raises(UsageError, match="block_events must be at least 1, got 0"):
        session.blocks(block_events=0)
