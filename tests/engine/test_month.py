"""The shares of a month, which decide the tier: they go on from day to day, and begin anew with the month."""

import numpy as np
import pandas as pd
import pytest

from replay import Config, OrderRequest, Session, Watch, run
from replay.errors import DataError
from replay.runner import verify

pytestmark = pytest.mark.jit_off
SETS = [
    "fees.plan=tiered",
    "fees.month_qty=299_950",
    *(f"latency.{leg}_ns=0" for leg in ("feed", "compute", "outbound", "answer")),
]


def day(date):
    """Make a session whose ask shows 1,000 shares three times."""
    open_ns = int(pd.Timestamp(f"{date} 09:30", tz="America/New_York").value)
    frame = pd.DataFrame({"ts_ns": open_ns + np.array([0, 1000, 23_400_000]) * 1_000_000, "symbol": "X"})
    return Session.from_frames(
        quotes=frame.assign(bid=9.99, bid_size=500, ask=10.0, ask_size=1000), symbols={"X": {"tick": 0.01}}
    )


class Buyer:
    """Buys 1,000 at the ask at the first quote of a day."""

    watch = Watch(quotes="any", forecasts=False, status=False)
    next_timer_ns = None
    days = 0

    def on_wake(self, view, wake):
        """Buy once a day."""
        self.days += wake.reason == "day"
        if wake.reason != "quote" or self.days <= 0:
            return []
        self.days -= 1
        return [OrderRequest(symbol="X", side="BUY", qty=1000, limit_price=10.0)]

    def state(self):
        """Return the days that still want an order."""
        return {"days": self.days}

    def restore(self, state):
        """Become what `state` described."""
        self.days = state["days"]


def test_the_month_goes_on_over_days_and_begins_anew():
    """299,950 shares before: the first order straddles two tiers, the next day's is in the second, April's in the first."""
    result = run([day("2026-03-30"), day("2026-03-31"), day("2026-04-01")], config=Config().with_sets(SETS), strategy=Buyer())
    commissions = [50 * 0.0035 + 950 * 0.0020, 1000 * 0.0020, 1000 * 0.0035]
    others = 1000 * (0.0002 + 0.0030)

    assert [1000] * 3 == result.fills["qty"].tolist()
    assert [usd + others for usd in commissions] == pytest.approx(result.fills["fee_usd"].tolist(), abs=0.005)
    assert {"plan": "tiered", "month": "2026-04", "month_qty": 1000} == {
        key: result.summary["fees"][key] for key in ("plan", "month", "month_qty")
    }
    march = run([day("2026-03-30"), day("2026-03-31")], config=Config().with_sets(SETS), strategy=Buyer())
    assert 301_950 == march.summary["fees"]["month_qty"]


def test_a_changed_fee_table_is_noticed(tmp_path, replay_sample):
    """A run names the content of its own table: verify holds with it, and refuses when it has changed since."""
    table = tmp_path / "my.toml"
    span = 'valid_from = 2026-01-01\nvalid_to = 2026-12-31\nsource = "me"\nstatus = "assumed"\n'
    rule = f'id = "us.sec"\nper_million_usd = 9.0\n{span}'
    table.write_text(f"[[rule]]\n{rule}")
    result = replay_sample([f"fees.table={table}"])
    folder = result.save(tmp_path / "run")

    assert len(result.fills) > 0
    assert verify(folder).holds
    table.write_text(f"[[rule]]\n{rule}note = 'touched'\n")
    with pytest.raises(DataError, match=r"my.toml has changed since"):
        verify(folder)


def test_a_day_without_a_fee_rule_is_refused_before_the_first_event():
    """The second day has no rule: nothing is replayed, not even the first."""
    told = []
    days = [day("2026-03-31"), day("2031-01-02")]
    with pytest.raises(DataError, match=r"no rule `tiered` for 2031-01-02|no rule `us.sec` for 2031-01-02"):
        run(days, config=Config().with_sets(SETS), strategy=Buyer(), progress=lambda *counts: told.append(counts))

    assert [] == told
