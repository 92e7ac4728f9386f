"""The default pipeline in anybody's loop: events in, requests out.

Two ways to the same kernels. Who knows symbols and dollars names them, begins each day and hands in plain events
(`strategy.plain_events`); who has a desk and rows hands in those.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, overload

import numpy as np

from replay.calendar import trading_hours
from replay.desk import NEVER, Block, Desk
from replay.errors import CapacityError, ConfigError, UsageError
from replay.events import BAR, FORECAST
from replay.snapshot import Lasting, load_state, save_state, symbol_arrays
from strategy.border import Names, check_price, check_whole, make_settings, suggestion
from strategy.decision import Reason
from strategy.own_desk import Products, clear_books, new_desk
from strategy.pipeline import advance
from strategy.pipeline_state import PipelineState, StrategySettings, build_state, start_day
from strategy.plain_events import Packer, PlainEvent, units
from strategy.rebalance import day_times_ns
from strategy.requests import Request, as_request

ORDER_SLOTS = 16
_ROWS = 256


class Verdict(NamedTuple):
    """A decision in plain words; `reason` TARGET_SET, TARGET_KEPT and EXIT_* went through, all others refused."""

    ts_ns: int
    symbol: str
    reason: Reason
    side: int
    horizon_min: int
    target_qty: int
    mu_bps: float
    cost_bps: float
    edge_needed_bps: float
    decision_id: int


class DecisionPipeline:
    """The default pipeline for anybody's loop: events in, requests out.

    Market events and the answers to own orders go through `process` in the order in which they came; what it returns has to be
    sent to the broker. Cutting the stream into other blocks changes nothing. Timers fire when an event of their time
    or later comes; a CLOCK event carries time through silence.

    Parameters
    ----------
    desk : Desk, optional
        Its tables must hold two decisions and three requests per symbol at least. Without desk and state both are made from what
        follows.
    state : PipelineState, optional
        From `build_state`, after `start_day`.
    symbols : sequence of str
    horizons_min : sequence of int
    settings : StrategySettings, optional
        Of all components, for example `replay.Config.load("my.toml").strategy`.
    products : Products, optional
        Ticks, lots, multipliers and evidence, where they differ from a US stock seen tick by tick.
    equity_usd : float
        What sizes are shares of.
    first_order_id : int
        Ids count up from here; after a restart within a day begin beyond those in use.
    seed : int
        Of a gradual rollout: `run.seed` of the replay that is to be matched.
    **sections
        Single settings by component, such as `gate={"mode": "enhanced"}`, where no `settings` are given.

    Attributes
    ----------
    decisions, cycles : ndarray of DECISION and of CYCLE
        What the last call of `process` journalled; `verdicts` says the former in plain words.

    Examples
    --------
    >>> from strategy import plain_events
    >>> pipeline = DecisionPipeline(symbols=["AAPL", "MSFT"], gate={"threshold_bps": 3.0})
    >>> pipeline.begin_day("2026-03-02")
    >>> pipeline.process([plain_events.quote(1_772_462_000_000_000_000, "AAPL", 200.00, 300, 200.01, 100)])
    []
    """

    def __init__(
        self,
        desk: Desk | None = None,
        state: PipelineState | None = None,
        *,
        symbols: Sequence[str] = (),
        horizons_min: Sequence[int] = (5, 10, 15, 30, 60),
        settings: StrategySettings | None = None,
        products: Products | None = None,
        equity_usd: float = 100_000.0,
        first_order_id: int = 1,
        seed: int = 0,
        **sections: Mapping[str, Any],
    ) -> None:
        self.settings = _settings(settings, sections)
        self.products = products or Products()
        self._names = Names(symbols, horizons_min) if desk is None or symbols else None
        if (desk is None) != (state is None):
            raise ConfigError("give desk and state together, or neither and `symbols`")
        if self._names is not None and desk is None:
            desk = new_desk(len(self._names), ORDER_SLOTS, 4 * ORDER_SLOTS * len(self._names), _ROWS + 2 * len(self._names))
            desk.clock["next_order_id"] = first_order_id
            clear_books(desk, self._names, self.products)
            names = self._names
            state = build_state(
                self.settings, len(names), names.horizons_min, _equity(equity_usd), symbols=names.symbols, seed=seed
            )
        assert desk is not None
        assert state is not None
        self.desk, self.state = desk, state
        self._check_room()
        self._packer = None if self._names is None else Packer(self._names)
        self._has_day = False
        self._none = tuple(table[:0].copy() for table in (desk.requests, desk.decisions, desk.cycles))
        _, self.decisions, self.cycles = self._none

    def _check_room(self) -> None:
        desk, n_symbols = self.desk, len(self.desk.book)
        if len(desk.decisions) < 2 * n_symbols or len(desk.cycles) < 1 or len(desk.requests) < 3 * n_symbols:
            raise CapacityError(
                f"the desk is too small for {n_symbols} symbols: expected at least {2 * n_symbols} decisions, 1 cycle and "
                f"{3 * n_symbols} requests, got {len(desk.decisions)}, {len(desk.cycles)} and {len(desk.requests)}"
            )

    def begin_day(self, day: date | str, *, calendar: str | None = None, is_all_hours: bool = False) -> None:
        """Begin a trading day; needed before the first plain event of each day.

        Orders of yesterday are over, positions and all that was learned go on.

        Parameters
        ----------
        day : date or str
            At the exchange, such as 2026-03-02.
        calendar : str, optional
            As in `replay.calendar`; default New York.
        is_all_hours : bool
            Trade before the open and after the close too.
        """
        names = self._need_names()
        hours = trading_hours(_date(day), calendar)
        clock = self.desk.clock[0]
        clock["open_ns"], clock["close_ns"] = hours.open_ns, hours.close_ns
        clock["trade_from_ns"] = hours.pre_ns if is_all_hours else hours.open_ns
        clock["trade_until_ns"] = hours.post_ns if is_all_hours else hours.close_ns
        clear_books(self.desk, names, self.products)
        self.desk.n_orders[:] = 0
        self.desk.positions["open_buy_qty"] = 0
        self.desk.positions["open_sell_qty"] = 0
        is_untold = (self.desk.positions["qty"] != 0) & (self.state.trades["watch_ns"] == NEVER)
        self.state.trades["watch_ns"][is_untold] = 0  # held, and nobody planned it
        start_day(self.state, self.desk.clock, *day_times_ns(self.settings.rebalance, _date(day), hours.zone, hours.close_ns))
        self._has_day = True

    def save(self, path: str | Path) -> None:
        """Write what was learned, by symbol name, as `replay run --state-out` does; positions are the broker's to know."""
        names = self._need_names()
        until_ns = int(self.desk.clock[0]["now_ns"])  # a run that begins earlier refuses it
        extra = {
            "strategy": "the default pipeline",
            "python": None,
            "horizons_min": list(names.horizons_min),
            "until_ns": until_ns,
        }
        build = partial(self._build, names.horizons_min)
        save_state(Path(path), Lasting(self.state), symbol_arrays(build, len(names)), list(names.symbols), extra)

    def load(self, path: str | Path) -> None:
        """Go on from what `save`, `ConformalGate.save` or `replay run --state-out` wrote; call it before `begin_day`.

        Raises
        ------
        DataError
            For a file that is no start state, or one of other horizons or of another layout.
        """
        names = self._need_names()
        load_state(Path(path), Lasting(self.state), list(names.symbols), names.horizons_min)

    def _build(self, horizons_min: Sequence[int], n_symbols: int) -> Lasting:
        return Lasting(build_state(self.settings, n_symbols, horizons_min))

    @overload
    def process(self, events: Sequence[PlainEvent] | PlainEvent) -> list[Request]: ...
    @overload
    def process(self, events: np.ndarray, bars: np.ndarray | None = None, forecasts: np.ndarray | None = None) -> np.ndarray: ...

    def process(self, events: Any, bars: np.ndarray | None = None, forecasts: np.ndarray | None = None) -> Any:
        """Take a run of events and return the requests they led to.

        Parameters
        ----------
        events : list of plain events (or one of them), or ndarray of EVENT
            In the order in which they came. Plain ones are dicts of `strategy.plain_events`; rows hold prices and sizes as the
            desk holds them.
        bars, forecasts : ndarray of BAR and of FORECAST, optional
            The side tables that `row` of BAR and FORECAST events points into.

        Returns
        -------
        list of Request, or ndarray of REQUEST
            As the events came: plain or as rows.
        """
        if isinstance(events, np.ndarray):
            return self._process(Block(events, _table(bars, BAR), _table(forecasts, FORECAST)))
        names = self._need_names()
        if isinstance(events, dict):
            events = [events]
        if not self._has_day:
            raise UsageError("no day has begun: call begin_day with its date before the first event")
        assert self._packer is not None
        rows = self._process(Block(*self._packer.pack(events)))
        return [as_request(row, names.symbols, int(self.desk.clock[0]["scale"])) for row in rows]

    def _process(self, block: Block) -> np.ndarray:
        parts: list[Sequence[np.ndarray]] = []
        i = 0
        while i < len(block.events):
            i = int(advance(i, block, self.desk, self.state))
            parts.append(self._drain())
        requests, self.decisions, self.cycles = (
            _joined([part[k] for part in parts if len(part[k])], none) for k, none in enumerate(self._none)
        )
        return requests

    @property
    def verdicts(self) -> list[Verdict]:
        """Return the decisions of the last call of `process`, in plain words."""
        names = self._need_names()
        return [_verdict(row, names.symbols) for row in self.decisions]

    @property
    def next_timer_ns(self) -> int:
        """When something is due even if no event comes: hand in a clock event then."""
        return int(self.desk.clock[0]["next_timer_ns"])

    def hold(self, symbol: str, qty: int, price_usd: float) -> None:
        """Tell what is held already, after a restart or from before: signed shares and their average price.

        With the state of yesterday loaded its trade goes on; without, nobody planned the position, and it is closed at once.
        Call it before `begin_day`.
        """
        s = self._need_names().symbol(symbol)
        if self._has_day:
            raise UsageError("a day has begun: tell what is held before `begin_day`; from there on fills move the positions")
        check_whole(qty=qty)
        check_price(price_usd)
        row = self.desk.positions[s]
        row["qty"], row["cost"] = qty, qty * units(price_usd)

    def position(self, symbol: str) -> int:
        """Return the signed shares held, as far as the answers say."""
        return int(self.desk.positions[self._need_names().symbol(symbol)]["qty"])

    def _need_names(self) -> Names:
        if self._names is None:
            raise UsageError("this pipeline was made from a desk and has no names; make it with `symbols`")
        return self._names

    def _drain(self) -> Sequence[np.ndarray]:
        """Copy what came out, empty the tables, and stop on a capacity that draining cannot mend."""
        clock = self.desk.clock[0]
        if clock["status"]:
            raise CapacityError(
                f"an order or request table of the desk is full at {int(clock['now_ns'])} ns (code {int(clock['status'])}); "
                f"build the desk with more order slots or requests"
            )
        tables = (self.desk.requests, self.desk.decisions, self.desk.cycles)
        counts = ("n_requests", "n_decisions", "n_cycles")
        rows = [
            table[: clock[count]].copy() if clock[count] else none
            for table, count, none in zip(tables, counts, self._none, strict=True)
        ]
        for count in counts:
            clock[count] = 0
        return rows


def _verdict(row: Any, symbols: Sequence[str]) -> Verdict:
    return Verdict(
        ts_ns=int(row["ts_ns"]),
        symbol=symbols[row["symbol"]],
        reason=Reason(row["reason"]),
        side=int(row["side"]),
        horizon_min=int(row["horizon_min"]),
        target_qty=int(row["target_qty"]),
        mu_bps=float(row["mu_bps"]),
        cost_bps=float(row["cost_bps"]),
        edge_needed_bps=float(row["edge_needed_bps"]),
        decision_id=int(row["decision_id"]),
    )


def _settings(settings: StrategySettings | None, sections: Mapping[str, Mapping[str, Any]]) -> StrategySettings:
    """Return the settings of all components, each checked."""
    if settings is not None and sections:
        raise ConfigError(f"give either `settings` or single sections, got both: settings and {', '.join(sections)}")
    given = settings or StrategySettings()
    known = [field.name for field in fields(StrategySettings)]
    for name in sections:
        if name not in known:
            raise ConfigError(f"there is no component '{name}'{suggestion(name, known)}")
    kinds = {name: type(getattr(given, name)) for name in known}
    checked = {
        name: make_settings(kind, None if name in sections else getattr(given, name), sections.get(name, {}))
        for name, kind in kinds.items()
    }
    return replace(given, **checked)


def _joined(parts: Sequence[np.ndarray], none: np.ndarray) -> np.ndarray:
    """Join what came out of one call; measured: joining structured arrays costs 30 us even where they are empty."""
    if len(parts) > 1:
        return np.concatenate(parts)
    return parts[0] if parts else none


def _equity(equity_usd: float) -> float:
    if not 0.0 < equity_usd < float("inf"):
        raise ConfigError(f"equity_usd must be above 0, got {equity_usd}")
    return float(equity_usd)


def _date(day: date | str) -> date:
    try:
        return date.fromisoformat(day) if isinstance(day, str) else day
    except ValueError as error:
        raise UsageError(f"a day is a date such as 2026-03-02, got {day!r}") from error


def _table(rows: np.ndarray | None, dtype: np.dtype) -> np.ndarray:
    return np.zeros(0, dtype) if rows is None else rows
