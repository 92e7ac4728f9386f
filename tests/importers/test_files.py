"""Damaged and foreign files give one sentence that names file, row and column."""

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from replay.errors import DataError, UsageError
from replay.importers.files import Table, read_table, read_zip


def test_trailing_empty_column_is_dropped(tmp_path: Path) -> None:
    """A comma at the end of each line, or an unnamed index, makes no column."""
    (tmp_path / "a.csv").write_text(",a,b,\n0,1,2,\n1,3,4,\n")

    assert ["a", "b"] == list(read_table(tmp_path / "a.csv").frame.columns)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.json"])
def test_missing_file_is_a_usage_error(tmp_path: Path, name: str) -> None:
    """A file that is not there is the caller's mistake."""
    with pytest.raises(UsageError, match="there is no file"):
        read_table(tmp_path / name)


@pytest.mark.parametrize("text", ["", "a,b\n"])
def test_empty_file_is_refused(tmp_path: Path, text: str) -> None:
    """Neither an empty file nor a header alone is data."""
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=r"a\.csv` (is empty|holds no rows)"):
        read_table(tmp_path / "a.csv")


def test_cut_files_are_refused(tmp_path: Path) -> None:
    """Half a Parquet file and half a gzip file say that they are damaged."""
    pd.DataFrame({"a": range(1000)}).to_parquet(tmp_path / "whole.parquet")
    (tmp_path / "a.parquet").write_bytes((tmp_path / "whole.parquet").read_bytes()[:-20])
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"a\n" + bytes(range(48, 58)) * 50)[:-8])
    for name in ("a.parquet", "a.csv.gz"):
        with pytest.raises(DataError, match="damaged or cut off"):
            read_table(tmp_path / name)


def test_cut_zip_is_refused(tmp_path: Path) -> None:
    """Half a zip says that it is damaged."""
    with zipfile.ZipFile(tmp_path / "whole.zip", "w") as archive:
        archive.writestr("a.csv", "1,2\n" * 100)
    (tmp_path / "a.zip").write_bytes((tmp_path / "whole.zip").read_bytes()[:60])
    with pytest.raises(DataError, match=r"a\.zip` is damaged or cut off"):
        read_zip(tmp_path / "a.zip", lambda _: ("a", "b"), ())


def test_absent_column_lists_what_is_there(tmp_path: Path) -> None:
    """Asking for a column that is not there names those that are."""
    with pytest.raises(DataError, match="has no column `price`; its columns are: a, b"):
        Table(Path("x.csv"), pd.DataFrame({"a": [1], "b": [2]})).column("price")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, float("nan")], "row 2: expected a number, got `nan`"),
        (["1.0", "abc"], "row 2: expected a number, got `abc`"),
        ([1.0, -2.0], "row 2: expected a price of 0 or more, got `-2.0`"),
        ([1.0, 1.00005], "row 2: expected a multiple of 1/10000 dollar"),
        ([1.0, np.inf], "row 2: expected a finite number"),
    ],
)
def test_bad_price_is_named(values, expected: str) -> None:
    """NaN, text, negative, infinite and too fine prices are refused with file, row and value."""
    with pytest.raises(DataError, match=f"column `p` of `x.csv`, {expected}"):
        Table(Path("x.csv"), pd.DataFrame({"p": values})).prices("p", 10_000)


def test_decimal_prices_are_exact() -> None:
    """Cents and decimal texts become exactly their units, although floats cannot hold them."""
    cents = [f"{n // 100}.{n % 100:02d}" for n in range(1, 60_000, 7)]
    table = Table(Path("x.csv"), pd.DataFrame({"p": cents}))

    assert list(range(100, 6_000_000, 700)) == table.prices("p", 10_000).tolist()


def test_disorder_is_named_with_both_stamps() -> None:
    """The first row that goes back in time is named with its own stamp and the one before."""
    table = Table(Path("x.csv"), pd.DataFrame({"t": [1, 3, 2]}))
    with pytest.raises(DataError, match="goes back in time at row 3: `t` 2 after 3; sort the file"):
        table.refuse_disorder(np.array([1, 3, 2]), "t")


def test_order_is_asked_within_groups_only() -> None:
    """Two symbols one after the other are no disorder, one of them going back is."""
    table = Table(Path("x.csv"), pd.DataFrame({"t": [5, 6, 1, 2]}))
    table.refuse_disorder(np.array([5, 6, 1, 2]), "t", np.array([0, 0, 1, 1]))
    with pytest.raises(DataError, match="row 3"):
        table.refuse_disorder(np.array([5, 6, 1, 2]), "t", np.array([0, 0, 0, 1]))
