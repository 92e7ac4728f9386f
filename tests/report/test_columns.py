import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from replay.report.columns import Columns
from replay.session.arrays import arrow_numbers, arrow_texts, arrow_words

ROWS = [
    {"ts_ns": 3, "symbol": "AAPL", "price": 1.5, "ahead": None, "is_stale": True},
    {"ts_ns": 5, "symbol": "", "price": float("nan"), "ahead": 0, "is_stale": False},
    {"ts_ns": 9, "symbol": "AAPL", "price": -2.0, "ahead": 7, "is_stale": True},
]
RUN = """
import sys
from pathlib import Path
from replay.cli.app import main
try:
    main(["run", "data/sample", "--to", "09:35", "--out", sys.argv[1], "--no-progress", "--json"])
except SystemExit as left:
    assert left.code == 0, left.code
assert (Path(sys.argv[1]) / "report.html").is_file()
print("loaded:", [name for name in ("pandas", "pyarrow.compute", "uplot") if name in sys.modules])
"""


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.booleans(), st.floats())))
def test_numbers_reach_arrow_as_its_own_conversion_writes_them(rows):
    """Integers, booleans and floats, with and without absent values, equal what `pa.array` makes of them."""
    whole, there, real = (np.array(column, kind) for column, kind in zip(_turned(rows), ("i8", "?", "f8"), strict=True))

    assert pa.array(whole, mask=~there).equals(arrow_numbers(whole, there))
    assert pa.array(there).equals(arrow_numbers(there))
    assert pa.array(real.view("i8")).equals(arrow_numbers(real).view(pa.int64()))


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1), st.data())
def test_texts_reach_arrow_as_its_own_conversion_writes_them(words, data):
    """Texts of any length and script, given one by one or as codes, equal what `pa.array` makes of them."""
    codes = data.draw(st.lists(st.integers(0, len(words) - 1)))

    assert pa.array(words, pa.string()).equals(arrow_texts(words))
    assert pa.array([words[code] for code in codes], pa.string()).equals(arrow_words(np.array(codes, int), words))


def test_a_table_comes_back_from_disk_row_by_row(tmp_path):
    """Numbers, texts, booleans and absent values read as they were written; NaN is absent."""
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "some.parquet")

    read = Columns.read(tmp_path / "some.parquet")

    assert [ROWS[0], {**ROWS[1], "price": None}, ROWS[2]] == list(read.records())
    assert [3, 9] == read.of_symbol("AAPL")["ts_ns"].tolist()
    assert [5] == read.where(~read.is_any("symbol", "AAPL"))["ts_ns"].tolist()
    assert 0 == len(read.of_symbol("MSFT"))


def test_a_run_and_its_report_load_no_pandas(tmp_path):
    """`replay run` leaves a whole run folder, page included, without pandas, which costs a quarter of a second to load."""
    command = [sys.executable, "-c", RUN, str(tmp_path / "run")]

    told = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)

    assert (0, "loaded: []") == (told.returncode, told.stdout.strip().splitlines()[-1]), told.stderr


def _turned(rows):
    return zip(*rows, strict=True) if rows else ([], [], [])
