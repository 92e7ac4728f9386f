"""Play an hour of the bundled sample through the loop beside this file, with a broker who fills everything.

python examples/own_loop/play.py [SESSION]
"""

import sys
from pathlib import Path

import pandas as pd
from loop import MINUTE_NS, SYMBOLS, Loop

from replay import Session
from replay.errors import DataError, ReplayError

SAMPLE = Path(__file__).parents[2] / "data" / "sample"


class Broker:
    """A broker who fills everything at its limit: it stands for ib_async in this example."""

    def __init__(self):
        self.loop, self.fills = None, []

    def send(self, symbol, action, order_id, qty, price):
        """Take a request of the loop; answer with an ack and a fill."""
        if action == "NEW":
            self.fills.append((symbol, qty, price))
            self.loop.on_answer(symbol, "ACK", order_id)
            self.loop.on_answer(symbol, "FILL", order_id, price_usd=price, qty=abs(qty))


def forecasts_of(folder):
    """Return the file of forecasts of a session: in its folder, or beside it for all days."""
    places = [Path(folder) / "forecasts.parquet", Path(folder).parent / "forecasts.parquet"]
    for place in places:
        if place.exists():
            return place
    raise DataError(f"the loop needs forecasts, and there are none at {places[0]} or {places[1]}; `replay synth` writes both")


def play(folder, minutes):
    """Play the first minutes of a recorded session through the loop; return the loop and its broker."""
    session = Session.open(folder)
    until_ns = session.hours.open_ns + minutes * MINUTE_NS
    quotes, said = session.quotes(), pd.read_parquet(forecasts_of(folder))
    quotes = quotes[quotes["symbol"].isin(SYMBOLS) & (quotes["ts_ns"] < until_ns)]
    said = said[said["symbol"].isin(SYMBOLS) & (said["ready_ts_ns"] < until_ns)]
    due = [
        (ready_ns, symbol, list(rows.itertuples(index=False, name=None)))
        for (ready_ns, symbol), rows in said.groupby(["ready_ts_ns", "symbol"])[
            ["forecast_id", "horizon_min", "mu_bps", "sigma_bps"]
        ]
    ]
    broker = Broker()
    loop = broker.loop = Loop(broker.send)
    columns = ["ts_ns", "symbol", "bid", "bid_size", "ask", "ask_size"]
    for ts_ns, symbol, bid, bid_size, ask, ask_size in quotes[columns].itertuples(index=False, name=None):
        while due and due[0][0] < ts_ns:
            _, name, rows = due.pop(0)
            loop.on_forecasts(name, rows)
        loop.on_quote(ts_ns, symbol, bid / session.scale, bid_size, ask / session.scale, ask_size)
    return loop, broker


if __name__ == "__main__":
    try:
        loop, broker = play(sys.argv[1] if len(sys.argv) > 1 else SAMPLE, minutes=60)
    except ReplayError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    lines = [f"{len(broker.fills)} fills, {loop.n_errors} errors of components"]
    lines += [f"{check.status:<16} {check.name:<20} {check.recommendation}" for check in loop.checklist.run_full()]
    sys.stdout.write("\n".join(lines) + "\n")
