"""A session appears complete or not at all, and its digest is that of its content."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from replay.errors import ExternalError, UsageError
from replay.session import Session, SessionWriter
from tests.session.days import DAY, NAMES, OPEN_NS, SECOND_NS, events_of, frames, only, symbol_infos, write_day


def test_nothing_but_the_session_is_left(tmp_path):
    """After writing, the folder holds the session and no draft beside it."""
    write_day(tmp_path / "day")

    assert ["day"] == [path.name for path in tmp_path.iterdir()]
    assert {"manifest.json"} | {f"{s}.parquet" for s in frames()} == {path.name for path in (tmp_path / "day").iterdir()}


def test_a_failure_leaves_the_old_session(tmp_path, monkeypatch):
    """When the last step fails, the session that was there stays, and no draft is left."""
    folder = write_day(tmp_path / "day")
    before = Session.open(folder).digest

    def fail(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr("replay.session.writer._flush", fail)
    with pytest.raises(ExternalError, match=r"day cannot be written \(no space left on device\); nothing was changed"):
        write_day(folder, **frames(seed=9))

    assert before == Session.open(folder, verify=True).digest
    assert ["day"] == [path.name for path in tmp_path.iterdir()]


def test_the_same_source_may_write_again(tmp_path):
    """A session is replaced by one of the same source and day."""
    folder = write_day(tmp_path / "day")
    before = Session.open(folder).digest
    write_day(folder, **frames(seed=9))

    assert before != Session.open(folder, verify=True).digest
    assert ["day"] == [path.name for path in tmp_path.iterdir()]


def test_strangers_are_not_overwritten(tmp_path):
    """A file, another folder, a broken session and a session of another source are left alone."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.txt").write_text("x")
    write_day(tmp_path / "other", source="elsewhere")
    write_day(tmp_path / "broken").joinpath("manifest.json").write_text("{")
    reasons = {
        "file": "is a file",
        "folder": "exists and is no session",
        "other": "from 'elsewhere'",
        "broken": "cannot be replaced",
    }

    for name, reason in reasons.items():
        with pytest.raises(UsageError, match=reason):
            write_day(tmp_path / name)


def test_a_recorder_writes_the_same_session(tmp_path):
    """Appending row by row, in arrival order, gives the digest of writing the frames at once."""
    whole = Session.open(write_day(tmp_path / "whole"))
    with SessionWriter(tmp_path / "live", day=DAY, symbols=symbol_infos(), source="test", row_group_rows=7) as writer:
        for stream in frames():
            frame = getattr(whole, stream)()
            for start in range(0, len(frame), 5):
                writer.append(stream, frame[start : start + 5])
    live = Session.open(tmp_path / "live", verify=True)

    assert whole.digest == live.digest
    assert whole.venues == live.venues
    assert events_of(whole) == events_of(live, block_events=13)
    assert 9 == live.recordings[0].sources["quotes"].n_groups


def test_spans_of_many_groups(tmp_path):
    """Row groups outside a span are skipped, those inside are cut exactly."""
    whole = Session.open(write_day(tmp_path / "whole", **only(quotes=frames(n=200)["quotes"])))
    with SessionWriter(tmp_path / "live", day=DAY, symbols=symbol_infos(), source="test", row_group_rows=16) as writer:
        writer.append("quotes", whole.quotes())
    live = Session.open(tmp_path / "live")
    start_ns, end_ns = OPEN_NS + 10 * SECOND_NS, OPEN_NS + 20 * SECOND_NS

    assert events_of(whole, start_ns=start_ns, end_ns=end_ns) == events_of(live, start_ns=start_ns, end_ns=end_ns)


def test_digest_sees_content(tmp_path):
    """A change of a value, of the symbol table, of the hours or of the scale changes the digest; the notes do not."""
    same = Session.open(write_day(tmp_path / "same", notes={"by": "hand"})).digest
    quotes = frames()["quotes"]
    quotes.loc[5, "bid_size"] += 100
    changes = [{"quotes": quotes}, {"symbols": symbol_infos(NAMES[::-1])}, {"calendar": "24/7"}, {"scale": 1_000}]
    digests = {Session.open(write_day(tmp_path / str(k), **change)).digest for k, change in enumerate(changes)}

    assert Session.open(write_day(tmp_path / "day")).digest == same
    assert len(changes) == len(digests - {same})


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from /proc")
def test_memory_does_not_grow_with_the_session(tmp_path):
    """Streaming a session four times as long takes no more memory, within a tenth."""
    peaks = [_peak(tmp_path / str(n), n) for n in (400_000, 1_600_000)]

    assert peaks[1] < 1.1 * peaks[0]


def _peak(folder, n):
    rng = np.random.default_rng(0)
    quotes = {
        "ts_ns": np.sort(OPEN_NS + rng.integers(0, 20_000 * SECOND_NS, n)),
        "symbol": ["AAA"] * n,
        "bid": np.full(n, 1_000_000),
    }
    quotes |= {"bid_size": rng.integers(1, 9, n), "ask": np.full(n, 1_000_100), "ask_size": rng.integers(1, 9, n)}
    write_day(folder, **only(quotes=quotes))
    code = "import sys; from replay.session import Session; s = Session.open(sys.argv[1]); "
    code += "assert sum(len(b.events) for b in s.blocks()) == s.n_events; "
    code += "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])"
    return int(subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True).stdout)
