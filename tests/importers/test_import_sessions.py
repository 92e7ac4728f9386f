"""From foreign files to sessions on disk."""

from pathlib import Path

import pytest

from replay.errors import DataError, UsageError
from replay.importers import FORMATS, ImportOptions, import_sessions
from replay.importers.quoting import infer_tick, is_last_of_stamp, name_of, size_factor
from replay.session import Session

HEADER = "time,bid1,bid_size1,ask1,ask_size1"
ROWS = (
    "{} 09:30:06-04:00,32.55,1.0,32.61,60.0",
    "{} 09:30:07-04:00,32.55,2.0,32.61,60.0",
    "{} 16:30:00-04:00,32.56,2.0,32.61,60.0",
)


def write(folder: Path, *days: str) -> Path:
    path = folder / "quotes.csv"
    path.write_text("\n".join((HEADER, *(row.format(day) for day in days for row in ROWS))) + "\n")
    return path


def test_each_date_becomes_a_session(tmp_path: Path) -> None:
    """Two dates in one file give two folders named by date, which open as sessions."""
    said: list[str] = []
    folders = import_sessions(
        "ibkr-quotes",
        [write(tmp_path, "2021-09-24", "2021-09-27")],
        tmp_path / "out",
        ImportOptions(symbols=("SH",)),
        said.append,
    )
    session = Session.open(folders[1])

    assert ["2021-09-24", "2021-09-27"] == [folder.name for folder in folders]
    assert (("SH",), 3, "2021-09-27") == (session.symbols, session.n_events, session.day.isoformat())
    assert ["reading 1 path (0.0 MB)", "2021-09-24: SH (3 rows)", "2021-09-27: SH (3 rows)"] == said


def test_importing_twice_gives_the_same_digest(tmp_path: Path) -> None:
    """The same file imported into two places is the same session."""
    path = write(tmp_path, "2021-09-24")
    digests = {Session.open(import_sessions("ibkr-quotes", [path], tmp_path / name)[0]).digest for name in ("a", "b")}

    assert 1 == len(digests)


def test_bad_file_leaves_nothing_behind(tmp_path: Path) -> None:
    """An error in the file writes no session, not even half of one."""
    path = write(tmp_path, "2021-09-24")
    path.write_text(path.read_text() + "2021-09-24 16:31:00-04:00,bad,2.0,32.61,60.0\n")
    with pytest.raises(DataError, match=r"`bid1` of .*row 4"):
        import_sessions("ibkr-quotes", [path], tmp_path / "out")

    assert [] == list((tmp_path / "out").rglob("*"))


def test_wrong_requests_are_usage_errors(tmp_path: Path) -> None:
    """Unknown formats list the known ones; no file and a missing file are named."""
    with pytest.raises(UsageError, match="unknown format `quotes`; known are ibkr-quotes, ibkr-api"):
        import_sessions("quotes", ["a"], tmp_path)
    with pytest.raises(UsageError, match="needs at least one file"):
        import_sessions("csv", [], tmp_path)
    with pytest.raises(UsageError, match="there is no file"):
        import_sessions("csv", [tmp_path / "a.csv"], tmp_path)


def test_every_format_has_a_reader_and_a_summary() -> None:
    """Each format of the contract names a module with a `read`."""
    import importlib

    modules = {name: importlib.import_module(f"replay.importers.{entry.module}") for name, entry in FORMATS.items()}

    assert ["ibkr-quotes", "ibkr-api", "ibkr-ticks", "ibkr-bars", "lean", "lobster", "databento", "csv"] == list(modules)
    assert all(callable(module.read) for module in modules.values())
    assert all(entry.summary for entry in FORMATS.values())


def test_packets_end_where_the_stamp_changes() -> None:
    """The last row of each run of equal stamps is marked."""
    import numpy as np

    assert [False, True, True] == is_last_of_stamp(np.array([1, 1, 2])).tolist()
    assert [] == is_last_of_stamp(np.array([], np.int64)).tolist()


def test_tick_is_given_inferred_or_a_cent() -> None:
    """A given tick wins, many prices show theirs, few prices mean a cent."""
    import numpy as np

    many = np.arange(100, 140) * 500

    assert [2500, 500, 100] == [
        infer_tick(many, ImportOptions(tick=0.25)),
        infer_tick(many, ImportOptions()),
        infer_tick(many[:9], ImportOptions()),
    ]
    with pytest.raises(UsageError, match="tick 1e-05 must be a positive multiple of 1/10000"):
        infer_tick(many, ImportOptions(tick=0.00001))


def test_names_and_units_are_asked_for_clearly() -> None:
    """Too few symbols for the files, and an unknown unit, say what is expected."""
    paths = [Path("a.csv"), Path("b.csv"), Path("c.csv")]

    assert "B" == name_of(paths[1], 1, paths, ImportOptions())
    assert "Y" == name_of(paths[1], 1, paths, ImportOptions(symbols=("X", "Y", "Z")))
    with pytest.raises(UsageError, match="2 symbols for 3 files"):
        name_of(paths[1], 1, paths, ImportOptions(symbols=("X", "Y")))
    with pytest.raises(UsageError, match="must be `shares` or `round_lots`, got `lots`"):
        size_factor(ImportOptions(size_unit="lots"), "shares")
