"""What a caller says about files that do not say it themselves."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from replay.calendar import NEW_YORK, calendar_zone


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """Options of an import; an empty value means "as the format has it".

    Parameters
    ----------
    symbols : tuple of str
        Names, in the order of the columns or files; one name for a file of one symbol.
    day : date, optional
        The date of files that hold only times of day (LOBSTER without its usual file name).
    tz : str
        Zone of the exchange: stamps without an offset are read in it and dates are cut in it. Default that of the calendar,
        for Databento `UTC`.
    map_file : Path, optional
        TOML file that names columns (format `csv`) or symbols.
    scale : int
        Price units per dollar.
    calendar : str
        Trading hours: a name of exchange_calendars (`XNYS`, `CMES`, `XHKG`, ...) or `24/7`. Default: New York's on its trading
        days, else `24/7`. It also gives the default zone.
    multiplier : int, optional
        Dollars per dollar of price of one unit. Default: that of a known future (`databento`, see `products`), else 1.
    tick : float, optional
        Price step in dollars; by default it is inferred from the quotes, else one cent.
    round_lot : int
        Shares per round lot.
    size_unit : str
        `shares` or `round_lots`, as the file counts.
    bar_s : int, optional
        Length of a bar in seconds; by default the smallest step of the file.
    what_to_show : str
        What IBKR bars were asked for.
    is_any_hour : bool
        Accept a file whose times all lie in the night (20:00-04:00) of its zone.
    """

    symbols: tuple[str, ...] = ()
    day: date | None = None
    tz: str = ""
    map_file: Path | None = None
    scale: int = 10_000
    calendar: str = ""
    multiplier: int | None = None
    tick: float | None = None
    round_lot: int = 100
    size_unit: str = ""
    bar_s: int | None = None
    what_to_show: str = "TRADES"
    is_any_hour: bool = False

    @property
    def zone(self) -> str:
        """The zone that was given, else that of the calendar, else that of a US stock."""
        return self.tz or calendar_zone(self.calendar or NEW_YORK)
