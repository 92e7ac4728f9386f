"""Own executions from an IBKR Flex query (XML): trades become orders that can be played again.

Rules:

X1  A row is a `Trade` (level of detail EXECUTION, where it is stated) or a `TradeConfirm`, with `symbol, buySell, quantity,
    tradePrice` (or `price`), `dateTime, ibExecID, ibOrderID`; `accountId` stands in the row or in its statement.
X2  One execution is one `ibExecID` up to its last dot; of its corrections the highest counts, and replaces the others.
X3  Rows of one `ibOrderID` and account are one order: its quantity is what was filled, its limit the worst price paid, because
    Flex does not tell the limit; a market order (`orderType` MKT) has none. It was sent at `orderTime`.
X4  Times are New York's unless the row names a zone: `20260302;093005`, `2026-03-02, 09:30:05 EST`, `20260302 09:30:05
    US/Eastern`. `20260302-14:30:05`, with a hyphen, is UTC. They are whole seconds.
X5  Accounts whose code begins with DU or DF are paper accounts.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from replay.calendar import instant_ns
from replay.errors import DataError
from replay.validation.book import SECOND_NS

if TYPE_CHECKING:
    import pandas as pd

PAPER = ("DU", "DF")
_NEEDED = ("symbol", "buySell", "quantity", "dateTime", "ibExecID", "ibOrderID")
_NEW_YORK = ZoneInfo("America/New_York")
_SHORT_ZONES = {"EST": "America/New_York", "EDT": "America/New_York", "GMT": "UTC"}
_TIME = re.compile(
    r"(?P<day>\d{8}|\d{4}-\d\d-\d\d)(?P<gap>[;, T]+|-)(?P<time>\d{6}|\d\d:\d\d:\d\d)\s*(?P<zone>[A-Za-z][\w/+-]*)?", re.ASCII
)


def read_flex(path: Path) -> pd.DataFrame:
    """Return the orders of a Flex query, a row each.

    Parameters
    ----------
    path : Path
        The XML file.

    Returns
    -------
    pandas.DataFrame
        `order_ref, account, symbol, side, qty, limit_price` (dollars, NaN = market), `sent_ns` (-1 = not told), `end_ns` (-1),
        `filled_qty, fill_price` (mean), `fill_ns` (last), `tif, clock_ns` (how well the times are known).

    Raises
    ------
    DataError
        If it is no XML, no Flex query, or a row lacks what is needed; names the row.
    """
    rows = _latest([_execution(element, account, k, path) for k, (element, account) in enumerate(_elements(path), 1)])
    if not rows:
        raise DataError(f"`{path}` holds no executions; the Flex query needs the section Trades with level of detail Execution")
    return _orders(rows)


def _elements(path: Path) -> list[tuple[ET.Element, str]]:
    try:
        root = ET.parse(path).getroot()  # noqa: S314 (the user's own file; entities of the standard library do not reach out)
    except (ET.ParseError, UnicodeDecodeError) as error:
        raise DataError(f"`{path}` is no well-formed XML ({error}); export the Flex query again as XML") from None
    if root.tag != "FlexQueryResponse":
        raise DataError(f"`{path}` is no IBKR Flex query: its root is <{root.tag}>, expected <FlexQueryResponse>")
    found = []
    for statement in root.iter("FlexStatement"):
        account = statement.get("accountId", "")
        rows = [row for tag in ("Trade", "TradeConfirm") for row in statement.iter(tag)]
        found += [(row, row.get("accountId") or account) for row in rows if row.get("levelOfDetail", "EXECUTION") == "EXECUTION"]
    return found


def _execution(element: ET.Element, account: str, number: int, path: Path) -> dict[str, Any]:
    """Read one row; `number` counts the executions of the file from 1."""
    place = f"`{path}` execution {number}"
    for name in _NEEDED:
        if not element.get(name):
            raise DataError(f"{place} lacks `{name}`; add the field to the Flex query")
    side = element.get("buySell", "").split(" ")[0].upper()
    if side not in ("BUY", "SELL"):
        raise DataError(f"{place}: `buySell` must be BUY or SELL, got {element.get('buySell')!r}")
    price = element.get("tradePrice") or element.get("price") or ""
    return {
        "account": account,
        "symbol": element.get("symbol", ""),
        "side": side,
        "qty": round(abs(_number(element.get("quantity", ""), "quantity", place))),
        "price": _number(price, "tradePrice", place),
        "ts_ns": read_time(element.get("dateTime", ""), f"{place}: `dateTime`"),
        "sent_ns": read_time(element.get("orderTime", ""), f"{place}: `orderTime`") if element.get("orderTime") else -1,
        "exec_id": element.get("ibExecID", ""),
        "order_ref": element.get("ibOrderID", ""),
        "is_market": element.get("orderType", "").upper().startswith("MKT"),
    }


def _number(text: str, name: str, place: str) -> float:
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        value = float("nan")
    if not 0 < abs(value) < 1e12:
        raise DataError(f"{place}: `{name}` must be a number other than 0, got {text!r}")
    return value


def read_time(text: str, place: str) -> int:
    """Read a time as IBKR writes it (X4); return ns since 1970, UTC.

    >>> read_time("20260302;093005", "row 1") == read_time("20260302-14:30:05", "row 1")
    True
    """
    found = _TIME.fullmatch(text.strip())
    zone: tzinfo | None = None
    if found:
        name = found["zone"]
        try:
            zone = UTC if found["gap"] == "-" else ZoneInfo(_SHORT_ZONES.get(name, name)) if name else _NEW_YORK
            moment = datetime.strptime(found["day"].replace("-", "") + found["time"].replace(":", ""), "%Y%m%d%H%M%S")  # noqa: DTZ007
        except (ValueError, ZoneInfoNotFoundError):
            zone = None
    if zone is None:
        raise DataError(f"{place} must be a time such as 20260302;093005 or 2026-03-02 09:30:05 US/Eastern, got {text!r}")
    return instant_ns(moment.replace(tzinfo=zone))


def _latest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep the highest correction of each execution (X2)."""
    kept: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        key = (row["account"], row["exec_id"].rpartition(".")[0] or row["exec_id"])
        if key not in kept or row["exec_id"] >= kept[key]["exec_id"]:
            kept[key] = row
    return list(kept.values())


def _orders(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Put the executions of one order together (X3)."""
    import pandas as pd

    frame = pd.DataFrame(rows).assign(value=lambda f: f["price"] * f["qty"])
    made = []
    for (account, ref), own in frame.groupby(["account", "order_ref"], sort=False):
        head, qty = own.iloc[0], int(own["qty"].sum())
        worst = own["price"].max() if head["side"] == "BUY" else own["price"].min()
        made.append(
            {
                "order_ref": ref,
                "account": account,
                "symbol": head["symbol"],
                "side": head["side"],
                "qty": qty,
                "limit_price": float("nan") if head["is_market"] else worst,
                "sent_ns": head["sent_ns"],
                "end_ns": -1,
                "filled_qty": qty,
                "fill_price": own["value"].sum() / qty,
                "fill_ns": own["ts_ns"].max(),
            }
        )
    return pd.DataFrame(made).assign(clock_ns=SECOND_NS, tif="DAY")
