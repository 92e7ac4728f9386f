import json
from io import StringIO

import pandas as pd
import pytest
from rich.console import Console

from replay.info import describe, render
from replay.session import Session
from tests.report.worlds import CLOSE_NS, OPEN_NS, S_NS


@pytest.fixture
def session() -> Session:
    quotes = pd.DataFrame(
        {
            "ts_ns": [OPEN_NS, OPEN_NS + 2 * S_NS, OPEN_NS + 32 * S_NS, CLOSE_NS + 9_000 * S_NS],
            "symbol": "SPY",
            "bid": [100.00, 100.00, 100.01, 100.00],
            "bid_size": [100, 200, 300, 0],
            "ask": [100.01, 100.03, 100.04, 100.01],
            "ask_size": [400, 500, 600, 700],
        }
    )
    quotes.loc[3, "bid"] = float("nan")
    trades = pd.DataFrame({"ts_ns": [OPEN_NS + S_NS], "symbol": "SPY", "price": 100.01, "size": 50, "exchange": "ARCA"})
    return Session.from_frames(quotes=quotes, trades=trades, symbols={"SPY": {"tick": 0.01}, "QQQ": {"tick": 0.01}})


def test_a_session_is_described_per_symbol(session):
    """Counts, span, median spread in ticks and longest silence in regular hours are those of the rows."""
    spy, qqq = describe(session)["symbols"]

    assert (4, 1, 0, 50) == (spy["quotes"], spy["trades"], spy["bars"], spy["volume"])
    assert (OPEN_NS, CLOSE_NS + 9_000 * S_NS) == (spy["first_ns"], spy["last_ns"])
    assert (3.0, 300, 50) == (spy["spread_median_ticks"], spy["touch_size_median"], spy["trade_size_median"])
    assert 30 * S_NS == spy["longest_silence_ns"]
    assert (0, None, None) == (qqq["quotes"], qqq["first_ns"], qqq["spread_median_ticks"])


def test_block_size_does_not_change_the_description(session, monkeypatch):
    """Reading event by event gives the same answer as reading at once."""
    whole = describe(session)
    blocks = session.blocks
    monkeypatch.setattr(session, "blocks", lambda: blocks(block_events=1))

    assert whole == describe(session)


def test_the_description_is_json_and_can_be_shown(session):
    """The facts are JSON without NaN, and the page fits 80 columns."""
    facts = describe(session)
    console = Console(width=80, record=True, file=StringIO())

    json.dumps(facts, allow_nan=False)
    console.print(render(facts))

    assert "SPY" in console.export_text()
