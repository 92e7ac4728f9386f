"""Rows of Databento files as one plain frame, whatever the file format.

Columns: `ts_ns, exch_ts_ns, symbol, publisher_id, action, side, price, size, order_id, flag_bits`; for MBP also
`bid, bid_size, ask, ask_size`. Prices are in units, an undefined price is 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from replay.errors import DataError, ExternalError
from replay.importers.files import Table, not_empty, read_table
from replay.importers.options import ImportOptions
from replay.importers.quoting import empty_side

NANO = 1_000_000_000
UNDEFINED_PRICE = 2**63 - 1
CHUNK_BYTES = 1 << 22
ACTIONS = frozenset("ACMFTRN")
_LEVEL = {"bid": "bid_px_00", "bid_size": "bid_sz_00", "ask": "ask_px_00", "ask_size": "ask_sz_00"}


class Rows(NamedTuple):
    """All rows of some files, and whether they are orders (MBO) or levels (MBP)."""

    frame: pd.DataFrame
    is_by_order: bool


def read_rows(path: Path, options: ImportOptions) -> Rows:
    """Read one file."""
    table = _read_dbn(path) if ".dbn" in path.suffixes else read_table(path, texts=("action", "side", "symbol"))
    is_by_order = _LEVEL["bid"] not in table.frame.columns
    if is_by_order:
        table.column("order_id")
    ts_ns = table.times("ts_recv", "UTC")
    table.refuse_disorder(ts_ns, "ts_recv")
    frame = pd.DataFrame({"ts_ns": ts_ns, "exch_ts_ns": table.times("ts_event", "UTC"), "symbol": _symbols(table, options)})
    for name in ("action", "side"):
        frame[name] = table.column(name).astype("str")
    table.refuse(~frame["action"].isin(list(ACTIONS)).to_numpy(), "action", f"one of {', '.join(sorted(ACTIONS))}")
    table.refuse(~frame["side"].isin(["A", "B", "N"]).to_numpy(), "side", "A, B or N")
    frame["price"] = _prices(table, "price", options)
    frame["size"] = table.sizes("size")
    frame["flag_bits"] = table.integers("flags")
    frame["publisher_id"] = table.integers("publisher_id") if "publisher_id" in table.frame.columns else 0
    if is_by_order:
        frame["order_id"] = table.integers("order_id")
        _check_orders(table, frame)
    else:
        _add_level(table, frame, options)
    return Rows(frame, is_by_order)


def _symbols(table: Table, options: ImportOptions) -> Any:
    if "symbol" in table.frame.columns:
        return table.frame["symbol"].to_numpy()
    ids = table.column("instrument_id")
    if ids.nunique() == 1 and len(options.symbols) == 1:
        return options.symbols[0]
    return ids.astype("str").to_numpy()


def _check_orders(table: Table, frame: pd.DataFrame) -> None:
    places = frame["action"].isin(["A", "M"]).to_numpy()
    table.refuse(places & (frame["price"] <= 0).to_numpy(), "price", "a price above 0 for an order")
    table.refuse(places & (frame["side"] == "N").to_numpy(), "side", "A or B for an order")


def _add_level(table: Table, frame: pd.DataFrame, options: ImportOptions) -> None:
    for side in ("bid", "ask"):
        price = _prices(table, _LEVEL[side], options)
        frame[side], frame[f"{side}_size"] = empty_side(price, table.sizes(_LEVEL[f"{side}_size"]))


def _prices(table: Table, name: str, options: ImportOptions) -> np.ndarray:
    """Scale a column of prices, decimal or in 1e-9; an undefined one is 0."""
    column = table.column(name)
    if column.dtype.kind in "iu" and (column.abs() > 1_000_000).any():
        values = np.where(column == UNDEFINED_PRICE, 0, column).astype(np.int64)
        table.refuse(values * 1.0 * options.scale >= 2.0**63, name, "a price that fits 64 bits (import with a smaller scale)")
        units, rest = np.divmod(values * options.scale, NANO)
        table.refuse(rest != 0, name, f"a multiple of 1/{options.scale} dollar (import with a larger scale)")
    else:
        dollars = table.numbers(name, is_nan_allowed=True)
        units = table.scaled(np.where(np.isnan(dollars), 0.0, dollars), name, options.scale)
    table.refuse(units < 0, name, "a price of 0 or more")
    return units


def _read_dbn(path: Path) -> Table:
    """Decode a dbn file with Databento's own library."""
    try:
        import databento_dbn
    except ImportError as error:
        raise ExternalError(f"`{path}` is dbn: install its reader with `pip install 'ibkr-replay[databento]'`") from error
    decoder = databento_dbn.DBNDecoder()
    records: list[tuple[Any, ...]] = []
    names: dict[int, str] = {}
    try:
        for chunk in _chunks(path):
            decoder.write(chunk)
            for record in decoder.decode():
                if isinstance(record, databento_dbn.Metadata):
                    names |= _names(record)
                elif isinstance(record, (databento_dbn.MBOMsg, databento_dbn.MBP1Msg, databento_dbn.MBP10Msg)):
                    records.append(_record(record))
    except (databento_dbn.DBNError, OSError, ValueError) as error:
        raise DataError(f"`{path}` is damaged or cut off ({error}); download it again") from error
    if decoder.buffer():
        raise DataError(f"`{path}` is cut off inside record {len(records) + 1}; download it again")
    return not_empty(Table(path, _frame(records, names)))


def _chunks(path: Path) -> Iterator[bytes]:
    import pyarrow as pa

    compression = "zstd" if path.suffix == ".zst" else None
    with pa.input_stream(str(path), compression=compression) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


def _names(metadata: Any) -> dict[int, str]:
    """Map instrument ids to raw symbols, as the file's header gives them."""
    spans = [(span["symbol"], name) for name, intervals in metadata.mappings.items() for span in intervals]
    return {int(number): name for number, name in spans if str(number).isdigit()}


def _record(record: Any) -> tuple[Any, ...]:
    known: tuple[Any, ...] = (
        record.ts_recv,
        record.ts_event,
        record.publisher_id,
        record.instrument_id,
        str(record.action),
        str(record.side),
    )
    known += (record.price, record.size, int(record.flags))
    if hasattr(record, "order_id"):
        return (*known, record.order_id)
    level = record.levels[0]
    return (*known, level.bid_px, level.bid_sz, level.ask_px, level.ask_sz)


def _frame(records: list[tuple[Any, ...]], names: dict[int, str]) -> pd.DataFrame:
    known = ["ts_recv", "ts_event", "publisher_id", "instrument_id", "action", "side", "price", "size", "flags"]
    width = len(records[0]) if records else len(known) + 1
    rest = ["order_id"] if width == len(known) + 1 else ["bid_px_00", "bid_sz_00", "ask_px_00", "ask_sz_00"]
    frame = pd.DataFrame(records, columns=[*known, *rest])
    if names:
        frame["symbol"] = frame["instrument_id"].map(names).fillna(frame["instrument_id"].astype("str"))
    return frame
