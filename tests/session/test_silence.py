"""The longest silence of a recording, and the end that is told by it."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.session import Session
from replay.session.check import check_session
from replay.session.silence import longest_silence_ns

OPEN_NS = int(pd.Timestamp("2026-03-02 09:30", tz="America/New_York").value)
SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS


def session_of(offsets_ns) -> Session:
    """Return a session with quotes of one symbol and prints of another at times after the open, by turns."""
    stamps = OPEN_NS + np.sort(np.asarray(offsets_ns, np.int64))
    quotes = pd.DataFrame({"ts_ns": stamps[::2], "symbol": "X", "bid": 10.0, "bid_size": 1, "ask": 10.01, "ask_size": 1})
    trades = pd.DataFrame({"ts_ns": stamps[1::2], "symbol": "Y", "price": 10.0, "size": 1})
    return Session.from_frames(quotes=quotes, trades=trades if len(trades) else None)


@given(st.lists(st.integers(0, 3 * 3600 * SECOND_NS), min_size=1, max_size=30), st.integers(0, 3600), st.integers(1, 7200))
def test_the_longest_silence_is_that_between_neighbours(offsets_ns, start_s, length_s) -> None:
    """Over all streams, within the span: what sorting all times gives; less than a second may count as none."""
    session = session_of(offsets_ns)
    start_ns = OPEN_NS + start_s * SECOND_NS
    end_ns = start_ns + length_s * SECOND_NS
    stamps = [OPEN_NS + offset_ns for offset_ns in sorted(offsets_ns)]
    within = [stamp for stamp in stamps if start_ns <= stamp < end_ns]
    expected = max((after - before for before, after in pairwise(within)), default=0)
    found = longest_silence_ns(session.recordings, start_ns, end_ns)

    assert expected == found or found <= expected < SECOND_NS


@pytest.mark.parametrize(("last_min", "is_told"), [(370, False), (350, True)])
def test_check_tells_an_early_end_from_a_quiet_symbol(last_min, is_told) -> None:
    """Quotes every twenty minutes may end twenty minutes before the close; ending forty minutes before is told."""
    quotes = pd.DataFrame({"ts_ns": OPEN_NS + MINUTE_NS * np.append(np.arange(0, last_min, 20), last_min), "symbol": "X"})
    session = Session.from_frames(quotes=quotes.assign(bid=10.0, bid_size=1, ask=10.01, ask_size=1))

    assert is_told == ("early_end" in {finding.code for finding in check_session(session)})
    assert is_told == session.breaks_off_before(session.hours.open_ns, session.hours.close_ns)
