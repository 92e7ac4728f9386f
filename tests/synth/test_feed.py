"""What a client of IBKR sees of a synthetic market."""

import numpy as np
import pandas as pd

from replay.events import Flag
from replay.synth.draws import Purpose, Stream
from replay.synth.drive import SECOND
from replay.synth.feed import SNAPSHOT_NS, Stamped, receive, sample_prints, sample_quotes
from replay.synth.market import SymbolDay
from replay.synth.settings import SynthSettings
from replay.synth.tape import MESSAGE, PRINT, QUOTE
from tests.synth.test_market import read

SECOND_NS = 1_000_000_000


def has(flags, flag):
    return (flags & int(flag)) != 0


def test_each_stream_keeps_its_order_and_arrives_later(synth_folder):
    """Per symbol, quotes and prints arrive in the order in which they happened, after they happened."""
    for stream in ("quotes", "trades"):
        frame = read(synth_folder, stream)
        for name in ("ALFA", "BRVO"):
            part = frame[frame["symbol"] == name]

            assert (np.diff(part["exch_ts_ns"]) >= 0).all()
            assert (part["ts_ns"] > part["exch_ts_ns"]).all()


def test_snapshots_come_on_the_quarter_second(synth_folder):
    """A symbol recorded as snapshots has quotes and prints at multiples of 250 ms only, at most one quote each."""
    quotes, trades = read(synth_folder, "quotes", "CHRL"), read(synth_folder, "trades", "CHRL")

    assert {0} == set(quotes["ts_ns"] % SNAPSHOT_NS)
    assert {0} == set(trades["ts_ns"] % SNAPSHOT_NS)
    assert not quotes["ts_ns"].duplicated().any()
    assert {""} == set(trades["exchange"])
    assert has(trades["flags"], Flag.NO_VENUE).all()


def test_off_exchange_prints_are_flagged_and_plenty(synth_folder):
    """A fifth to two fifths of the volume prints off exchange, on venue FINRA, flagged, some of it off tick."""
    trades = read(synth_folder, "trades", "ALFA")
    is_off = has(trades["flags"], Flag.OFF_EXCHANGE)
    share = trades["size"][is_off].sum() / trades["size"].sum()

    assert ((trades["exchange"] == "FINRA") == is_off).all()
    assert 0.2 < share < 0.4
    assert has(trades["flags"][is_off], Flag.OFF_TICK).any()
    assert 5 <= trades["exchange"].nunique()


def test_odd_lots_are_flagged_and_nobody_tells_the_aggressor(synth_folder):
    """Prints below 100 shares carry condition I, are unreported, and no print has a side."""
    trades = read(synth_folder, "trades", "BRVO")
    is_odd = trades["size"] < 100

    assert (has(trades["flags"], Flag.ODD_LOT) == is_odd).all()
    assert trades["unreported"][is_odd].all()
    assert not has(trades["flags"], Flag.BUY | Flag.SELL).any()


def test_prints_mostly_precede_their_quotes():
    """The stated share of trades has its quote first; the others have it after their print."""
    n = 2000
    times = np.arange(n) * SECOND_NS
    messages, quotes, prints = np.zeros(n, MESSAGE), np.zeros(n, QUOTE), np.zeros(n, PRINT)
    for rows in (messages, quotes, prints):
        rows["exch_ts_ns"], rows["step"] = times, np.arange(n)
    day = SymbolDay(messages=messages, quotes=quotes, prints=prints, seconds=np.zeros(n, SECOND), tick=100, close_value=0.0)
    received = receive(day, 0, Stream(1, 1, 0, Purpose.FEED), SynthSettings(quote_first=0.25))

    assert 0.2 < (received.quotes.ts_ns < received.prints.ts_ns).mean() < 0.3


def test_halts_and_gaps_are_present_when_asked(synth_folder):
    """The session says when it halted and when the feed was gone, and nothing trades or arrives in between."""
    status = read(synth_folder, "status")
    events = pd.concat([read(synth_folder, stream) for stream in ("quotes", "trades", "bars")])
    messages = read(synth_folder, "messages")
    at = {(row.status, row.symbol): row for row in status.itertuples()}
    halted = next(row for row in status.itertuples() if row.status == "halted")
    resumed = at["resumed", halted.symbol]
    gap = next(row for row in status.itertuples() if row.status == "gap_start")
    lost = next(row for row in status.itertuples() if row.status == "disconnected")
    back = status[(status["status"] == "connected") & (status["ts_ns"] > lost.ts_ns)].iloc[0]
    mine = messages[messages["symbol"] == halted.symbol]
    seen = events[(events["ts_ns"] >= gap.ts_ns) & (events["ts_ns"] < at["gap_end", gap.symbol].ts_ns)]

    assert 0 == len(mine[(mine["exch_ts_ns"] >= halted.exch_ts_ns) & (mine["exch_ts_ns"] < resumed.exch_ts_ns)])
    assert gap.symbol not in set(seen["symbol"])
    assert 0 < len(seen)
    assert 0 == len(events[(events["ts_ns"] >= lost.ts_ns) & (events["ts_ns"] < back["ts_ns"])])
    assert 3 == len(read(synth_folder, "quotes").query(f"ts_ns == {back['ts_ns']}")["symbol"].unique())


def test_sampling_adds_up_prints_of_one_price():
    """Reported prints of one quarter second and price become one; odd lots vanish; volume is kept."""
    rows = np.zeros(4, PRINT)
    rows["qty"], rows["price"] = [100, 200, 50, 300], [10, 10, 10, 11]
    rows["flags"] = [0, Flag.OFF_EXCHANGE, Flag.ODD_LOT, 0]
    sampled = sample_prints(Stamped(np.array([1, 2, 3, SNAPSHOT_NS]), rows), 0)

    assert [(300, 10), (300, 11)] == [(int(row["qty"]), int(row["price"])) for row in sampled.rows]
    assert [SNAPSHOT_NS, SNAPSHOT_NS] == sampled.ts_ns.tolist()


def test_sampling_sends_changes_only():
    """Of the quotes of a quarter second the last counts, and a touch as sent before is not sent again."""
    rows = np.zeros(4, QUOTE)
    rows["bid"] = [5, 6, 6, 7]
    sampled = sample_quotes(Stamped(np.array([1, 2, SNAPSHOT_NS + 1, 3 * SNAPSHOT_NS]), rows), 0)

    assert [(SNAPSHOT_NS, 6), (3 * SNAPSHOT_NS, 7)] == list(
        zip(sampled.ts_ns.tolist(), sampled.rows["bid"].tolist(), strict=True)
    )
