"""Freshness, from the docstring of `strategy/staleness.py`."""

SECOND = 1_000_000_000
STREAM_TTL = {"TICK_BY_TICK": 1, "MESSAGE_LEVEL": 1, "SNAPSHOT_250MS": 3, "HISTORICAL": 3, "BARS": 90}


def quote_reason(status, bid, ask, bid_qty, ask_qty):
    if status == "HALTED":
        return "HALTED"
    if min(bid, ask, bid_qty, ask_qty) <= 0:
        return "NO_QUOTE"
    return "QUOTE_CROSSED" if bid > ask else "TARGET_SET"


def stale(now, status, evidence, last_data, last_minute, forecasts):
    """Tell whether anything is too old; `forecasts` are (horizon_min, ready, bar_close) of living legs."""
    if status is not None or last_data is None or last_minute is None:
        return True
    if now - last_data > STREAM_TTL[evidence] * SECOND or now - last_minute > 120 * SECOND:
        return True
    return any(now - ready > 2 * horizon * 60 * SECOND or ready - bar > 90 * SECOND for horizon, ready, bar in forecasts)
