"""The result of a run: a folder on disk, read when asked."""

from __future__ import annotations

import json
import shutil
import weakref
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replay.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd


class Result:
    """What one run decided, ordered, filled and paid; tables are read from its folder when they are asked for.

    Parameters
    ----------
    path : Path
        A run folder.
    scratch : Path, optional
        A temporary folder that goes when this object goes.

    Attributes
    ----------
    summary, verification, manifest : dict
        The run's JSON files.
    bands : pandas.DataFrame
        The range of every headline number, for a run with bands.
    decisions, orders, fills, round_trips, cycles, positions, equity : pandas.DataFrame
        The run's tables.
    """

    def __init__(self, path: Path, scratch: Path | None = None) -> None:
        self.path = path
        if scratch is not None:
            weakref.finalize(self, shutil.rmtree, scratch, ignore_errors=True)

    def __repr__(self) -> str:
        summary = self.summary
        days = "/".join(summary["sessions"])
        return f"<Result {days}: {summary['orders']} orders, {summary['fills']} fills, net {summary['net_usd']:,.2f} USD>"

    @classmethod
    def open(cls, path: str | Path) -> Result:
        """Open a run folder written earlier.

        Raises
        ------
        UsageError
            When there is no such folder.
        DataError
            When it holds no run.
        """
        path = Path(path)
        if not path.exists():
            raise UsageError(f"there is no run {path}; `replay run` prints where a run lies")
        if not (path / "manifest.json").is_file():
            raise DataError(f"{path} is not a run folder: it has no manifest.json; `replay run` prints where a run lies")
        result = cls(path)
        if "journal_digest" not in result.manifest:
            raise DataError(
                f"{path} is not a run folder: its manifest.json is not that of a run; `replay run` prints where a run lies"
            )
        return result

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Identity of the run: configuration, digests of all inputs, versions, speed."""
        return self._json("manifest.json")

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The headline numbers."""
        return self._json("summary.json")

    @cached_property
    def verification(self) -> dict[str, Any]:
        """The six-point verification."""
        return self._json("verification.json")

    @property
    def journal_digest(self) -> str:
        """Digest over all decisions, orders, fills and cycles: equal for equal inputs, everywhere."""
        return str(self.manifest["journal_digest"])

    @cached_property
    def decisions(self) -> pd.DataFrame:
        """A row per decision."""
        return self._table("decisions")

    @cached_property
    def orders(self) -> pd.DataFrame:
        """A row per change of an order's state."""
        return self._table("orders")

    @cached_property
    def fills(self) -> pd.DataFrame:
        """A row per fill."""
        return self._table("fills")

    @cached_property
    def round_trips(self) -> pd.DataFrame:
        """A row per position from flat to flat."""
        return self._table("round_trips")

    @cached_property
    def cycles(self) -> pd.DataFrame:
        """A row per cycle."""
        return self._table("cycles")

    @cached_property
    def positions(self) -> pd.DataFrame:
        """What was held at the end."""
        return self._table("positions")

    @cached_property
    def equity(self) -> pd.DataFrame:
        """Profit and drawdown over time."""
        return self._table("equity")

    @cached_property
    def bands(self) -> pd.DataFrame:
        """Every headline number by band (`pessimistic`, `expected`, `optimistic`), with `low` and `high`; index: its key.

        Raises
        ------
        UsageError
            When the run was made without bands.
        """
        import pandas as pd

        if "bands" not in self.summary:
            raise UsageError(f"{self.path} was run without bands; use run(..., bands=True) or `replay run --bands`")
        return pd.DataFrame.from_dict(self.summary["bands"]["numbers"], orient="index", dtype="float64")

    def of_band(self, name: str) -> Result:
        """Return the run of one band as a result of its own.

        Raises
        ------
        UsageError
            When there is no such band.
        """
        known = self.manifest.get("bands", ["expected"])
        if name not in known:
            raise UsageError(f"{self.path} has no band {name!r}; it has {', '.join(known)}")
        return self if name == "expected" else Result.open(self.path / "bands" / name)

    def save(self, path: str | Path) -> Path:
        """Write the whole run folder to `path`, report included; nothing half-written is ever seen there.

        An older run of that name is replaced.

        Raises
        ------
        UsageError
            When `path` exists and is neither a run nor an empty folder.
        """
        from replay.report import write_report

        target = Path(path)
        refuse_stranger(target)
        part = target.with_name(target.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(self.path, part)
        write_report(part)
        shutil.rmtree(target, ignore_errors=True)
        part.rename(target)
        self.path = target
        return target

    def _json(self, name: str) -> dict[str, Any]:
        try:
            return dict(json.loads((self.path / name).read_text()))
        except (OSError, ValueError) as error:
            raise DataError(f"{self.path / name} cannot be read ({error}); run it again") from error

    def _table(self, name: str) -> pd.DataFrame:
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(self.path / f"{name}.parquet") as file:
                table: pd.DataFrame = file.read().to_pandas()
        except (OSError, ValueError) as error:
            raise DataError(f"{self.path / name}.parquet cannot be read ({error}); run it again") from error
        return table


def refuse_stranger(folder: Path) -> None:
    """Refuse a place for a run that holds anything but an older run.

    Raises
    ------
    UsageError
        With the advice to choose another one.
    """
    if not folder.exists() or is_run_folder(folder) or (folder.is_dir() and not any(folder.iterdir())):
        return
    raise UsageError(f"`{folder}` exists and is not a run folder; choose another --out")


def is_run_folder(folder: Path) -> bool:
    """Tell whether a folder is what `Result.save` made."""
    return (folder / "journal" / "digests.json").is_file()
