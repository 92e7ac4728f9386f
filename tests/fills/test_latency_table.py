"""The file of measured delays: written, read back, and refused when it is odd."""

import pytest

from fills.latency_table import Bucket, LatencyTable, read_table
from replay.errors import ConfigError

GOOD = "version = 1\n[[bucket]]\nbelow_events = 5\noutbound_ns = [1, 2]\n[[bucket]]\noutbound_ns = [3]\n"


def test_a_table_reads_back_as_it_was_written(tmp_path):
    """What the fit writes is what a run reads, counts and names included."""
    delays = {"outbound": (1, 2, 3), "cancel": (4,), "answer": (5_000_000,)}
    table = LatencyTable(
        made_from=("2026-03-02-abc",),
        outbound_share=0.4,
        buckets=(Bucket(below_events=7, counts={"orders": 3, "cancels": 1}, delays_ns=delays), Bucket(delays_ns=delays)),
    )
    path = tmp_path / "t.toml"
    path.write_text(table.to_toml())

    assert table == read_table(path)
    assert [1, 1, 2, 2, 3, 3] == table.pooled_ns("outbound")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("version = ", "is not valid TOML"),
        ("version = 9", "must have version = 1, got 9"),
        ("version = 1", "has no [[bucket]]"),
        (GOOD.replace("below_events = 5\n", ""), "`below_events` must ascend, and only the last bucket goes without"),
        (GOOD.replace("below_events = 5", "below_events = 0"), "bucket 0: `below_events` must be a whole number above 0, got 0"),
        (GOOD.replace("[1, 2]", "[2, 1]"), "bucket 0: `outbound_ns` must ascend"),
        (GOOD.replace("[1, 2]", "[]"), "bucket 0: `outbound_ns` must be a list of delays in ns, got []"),
        (GOOD.replace("[1, 2]", "[1.5]"), "`outbound_ns` must hold whole ns from 0 to 60000000000, got 1.5"),
        (GOOD.replace("[3]", "[-3]"), "bucket 1: `outbound_ns` must hold whole ns from 0 to 60000000000, got -3"),
        (GOOD.replace("outbound_ns = [3]", "cancel_ns = [3]"), "every bucket must hold the same legs"),
        (GOOD.replace("outbound_ns = [3]", "out_ns = [3]"), "bucket 1 has the unknown key `out_ns`"),
        ("version = 1\n[[bucket]]\n", "bucket 0 holds no delays"),
    ],
)
def test_an_odd_table_is_refused_with_its_place(tmp_path, text, sentence):
    """Each oddity is one clear sentence with file, bucket and key."""
    path = tmp_path / "t.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_table(path)

    assert sentence in str(caught.value)
    assert "t.toml" in str(caught.value)


def test_a_missing_table_is_refused(tmp_path):
    """A path to nothing is named."""
    with pytest.raises(ConfigError, match=r"cannot read the latency table `.*none.toml`: No such file"):
        read_table(tmp_path / "none.toml")
