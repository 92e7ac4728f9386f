"""The figures that two runs are compared by, each a ratio of sums, and which way is better."""

from __future__ import annotations

from typing import NamedTuple


class Measure(NamedTuple):
    """One figure: the sum of some columns over that of another, times a scale."""

    name: str
    title: str
    parts: tuple[str, ...]
    over: str  # empty for a plain sum
    scale: float
    unit: str
    better: int  # +1 more is better, -1 less is, 0 neither


OF_TRIPS = ("unprofitable_rate", "alpha_retention")  # rates of round trips
TRIPS_MIN = 30  # of each run, before a rate of round trips gets a verdict
_COST = ("spread_usd", "fee_usd", "impact_usd", "timing_usd")
MEASURES = (
    Measure("unprofitable_rate", "Unprofitable trips", ("bad_trips",), "trips", 100.0, "%", -1),
    Measure("alpha_retention", "Alpha kept", ("kept_usd",), "edge_usd", 100.0, "%", 1),
    Measure("net_usd", "Net profit", ("net_usd",), "", 1.0, "USD", 1),
    Measure("net_bps", "Net of turnover", ("net_usd",), "turnover_usd", 1e4, "bps", 1),
    Measure("cost_per_share", "Cost per share", _COST, "qty", 100.0, "cents", -1),
    Measure("spread_per_share", "  spread", ("spread_usd",), "qty", 100.0, "cents", -1),
    Measure("fees_per_share", "  fees", ("fee_usd",), "qty", 100.0, "cents", -1),
    Measure("impact_per_share", "  impact", ("impact_usd",), "qty", 100.0, "cents", -1),
    Measure("timing_per_share", "  timing", ("timing_usd",), "qty", 100.0, "cents", -1),
    Measure("cost_bps", "Cost of turnover", _COST, "turnover_usd", 1e4, "bps", -1),
    Measure("shortfall_bps", "Shortfall of wanted", ("paid_usd", "missed_usd"), "wanted_usd", 1e4, "bps", -1),
    Measure("filled_share", "  of it filled", ("got_usd",), "wanted_usd", 100.0, "%", 0),
    *(
        Measure(f"adverse_{s}s_per_share", f"Adverse {s} s", (f"adverse_{s}s_usd",), f"known_{s}s_qty", 100.0, "cents", -1)
        for s in (1, 10, 60)
    ),
    Measure("stale_decisions", "Acted on stale data", ("stale_taken",), "decisions", 100.0, "%", -1),
    Measure("errors", "With an error", ("errors",), "decisions", 100.0, "%", -1),
    Measure("turnover_kusd", "Turnover", ("turnover_usd",), "", 1e-3, "kUSD", 0),
)
DRAWDOWN = Measure("max_drawdown_usd", "Drawdown at block ends", (), "", 1.0, "USD", -1)
