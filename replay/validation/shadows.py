"""Play real orders again as shadow orders: each alone, from level 1 only, until its real end.

How the real order is hidden. The recorded book holds it, so the shadow's own leaves are taken out of the displayed size of its
level before any rule looks at it (`own_in_book`, rule 23 of `fills.exchange`), and it acts before the events of its own time
stamp, so that the display it joins is the one without it. A level that is there only because the real order stands in it says
nothing.

The clock is the feed's. Where quotes and prints come later than the message that made them (their exchange times say which
belong together), the shadow arrives with the quote that shows the order, ends with the quote that shows its end, and the real
order counts as filled with the print that reports it. A packet stamps many messages with one time: the shadow stands where the
real order does among them, just before the quote that shows it, or it would be ahead of all who came earlier in its packet.

An order that a match took out (exchanges cancel what would trade with its own owner) leaves at the exchange time of the print, by
the same request: its shadow ends before that print, though the feed reports the cancel after it. No other owner's order would
have been taken out: by its place in the line it was due, and no model can know whose it was.

Exact FIFO follows the messages, so its shadows live on the clock of the messages, and what they got is told on the feed's clock:
as much after the real end as it was there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fills.queue import QueueModel
from replay.validation.book import SECOND_NS, Fate, Kind

if TYPE_CHECKING:
    import pandas as pd

    from replay.session import Session
    from replay.validation.truth import Truth

PATIENCE_NS = 30 * SECOND_NS  # how long the shadow of a filled order may go on
NEVER_NS = 2**62
MILLISECOND_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class Feed:
    """Times of one symbol's quotes and prints, and the touch, as level 1 shows them."""

    quotes: pd.DataFrame
    trades: pd.DataFrame

    @classmethod
    def of(cls, session: Session, symbol: str) -> Feed:
        """Read them from a session."""
        return cls(session.quotes(symbol), session.trades(symbol))

    def when_quoted(self, ts_ns: np.ndarray, exch_ns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return when the feed shows in its quotes what happened, and the `seq` of that quote.

        Where no quote belongs to it these are the message's own time, and 0.
        """
        return _paired(self.quotes, ts_ns, exch_ns)

    def when_printed(self, ts_ns: np.ndarray, exch_ns: np.ndarray) -> np.ndarray:
        """Return when the feed prints an execution."""
        return _paired(self.trades, ts_ns, exch_ns)[0]

    def when_matched(self, side: np.ndarray, price: np.ndarray, exch_ns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return time and `seq` of the first print with each exchange time; NEVER and 0 where none of them reached the price.

        Times that are no finer than milliseconds name no single event.
        """
        prints = self.trades[self.trades["exch_ts_ns"].notna()].sort_values(["exch_ts_ns", "seq"])
        times, first = np.unique(prints["exch_ts_ns"].to_numpy(np.int64), return_index=True)
        if not len(times):
            return np.full_like(exch_ns, NEVER_NS), np.zeros_like(exch_ns)
        at = np.minimum(np.searchsorted(times, exch_ns), len(times) - 1)
        low, high = (extreme.reduceat(prints["price"].to_numpy(), first)[at] for extreme in (np.minimum, np.maximum))
        is_reached = (times[at] == exch_ns) & (exch_ns % MILLISECOND_NS != 0)
        is_reached &= np.where(side > 0, low <= price, high >= price)
        first_ns, first_seq = (prints[name].to_numpy()[first[at]] for name in ("ts_ns", "seq"))
        return np.where(is_reached, first_ns, NEVER_NS), np.where(is_reached, first_seq, 0)

    def would_take(
        self, side: np.ndarray, price: np.ndarray, at_ns: np.ndarray, before_seq: np.ndarray | None = None
    ) -> np.ndarray:
        """Tell which orders (side 1 or -1) meet the other side as displayed just before they act."""
        shown, size = (np.zeros(len(side), np.int64) for _ in range(2))
        last = np.searchsorted(self.quotes["ts_ns"].to_numpy(), at_ns, "left") - 1
        if before_seq is not None:
            last = np.where(before_seq > 0, np.searchsorted(self.quotes["seq"].to_numpy(), before_seq, "left") - 1, last)
        for sign, name in ((1, "ask"), (-1, "bid")):
            own = (side == sign) & (last >= 0)
            shown[own] = self.quotes[name].to_numpy()[last[own]]
            size[own] = self.quotes[f"{name}_size"].to_numpy()[last[own]]
        taken: np.ndarray = (size > 0) & (side * price >= side * shown)
        return taken

    def rests_from(self, side: np.ndarray, price: np.ndarray, from_ns: np.ndarray, end_ns: np.ndarray) -> np.ndarray:
        """Return when the display first lets each order rest, from its arrival on; its end where it never does."""
        times, at_ns = self.quotes["ts_ns"].to_numpy(), from_ns.copy()
        waits = self.would_take(side, price, at_ns)
        while waits.any():
            after = np.searchsorted(times, at_ns[waits], "left")
            moved = np.where(after < len(times), times[np.minimum(after, len(times) - 1)] + 1, NEVER_NS)
            at_ns[waits] = np.minimum(moved, end_ns[waits])
            waits &= at_ns < end_ns
            waits[waits] = self.would_take(side[waits], price[waits], at_ns[waits])
        return at_ns


def _paired(frame: pd.DataFrame, ts_ns: np.ndarray, exch_ns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return time and `seq` of the first row with the same exchange time, where it is not before the message."""
    known = frame["exch_ts_ns"].notna().to_numpy()
    exch = frame["exch_ts_ns"].fillna(0).to_numpy(np.int64)[known]
    times = frame["ts_ns"].to_numpy()[known]
    if not len(exch):
        return ts_ns, np.zeros_like(ts_ns)
    first = np.lexsort((times, exch))
    at = np.minimum(np.searchsorted(exch[first], exch_ns), len(exch) - 1)
    row = first[at]
    is_pair = (exch[row] == exch_ns) & (times[row] >= ts_ns)
    return np.where(is_pair, times[row], ts_ns), np.where(is_pair, frame["seq"].to_numpy()[known][row], 0)


def shadow_orders(truth: Truth, session: Session) -> pd.DataFrame:
    """Lay the scored real orders of a symbol out: one row per order, its life on the feed's clock and its fate.

    Parameters
    ----------
    truth : Truth
        What `real_orders` found.
    session : Session
        The session they come from.

    Returns
    -------
    pandas.DataFrame
        `symbol, track, real_id, kind` (join, improve), `side, qty, price` (units), `ahead_qty, spread, activity`, `arrival_ns`,
        `end_ns` (real end), `sent_ns` and `gone_ns` (both on the clock of the messages), `is_filled`, `fill_ns` (when the last of
        it was filled, else NEVER), `is_marketable`, `before_seq` and `end_seq` (of the quotes that show arrival and cancel, 0 =
        unknown), `is_matched` (the match of a print took it out: `end_seq` is that of the print).
    """
    import pandas as pd

    feed = Feed.of(session, truth.symbol)
    orders = truth.scored
    is_filled = orders["fate"] == Fate.FILLED
    arrival_ns, before_seq = feed.when_quoted(orders["arrival_ns"], orders["arrival_exch_ns"])
    printed_ns = feed.when_printed(orders["end_ns"], orders["end_exch_ns"])
    quoted_ns, end_seq = feed.when_quoted(orders["end_ns"], orders["end_exch_ns"])
    matched_ns, match_seq = feed.when_matched(orders["side"], orders["price"], orders["end_exch_ns"])
    is_matched = ~is_filled & (matched_ns <= quoted_ns)
    quoted_ns, end_seq = np.where(is_matched, matched_ns, quoted_ns), np.where(is_matched, match_seq, end_seq)
    end_ns = np.where(is_filled, printed_ns, quoted_ns)
    before_seq = np.where(arrival_ns > end_ns, 0, before_seq)
    arrival_ns = np.minimum(arrival_ns, end_ns)
    return pd.DataFrame(
        {
            "symbol": truth.symbol,
            "track": orders["track"],
            "real_id": orders["order_id"],
            "kind": np.array([kind.name.lower() for kind in Kind])[orders["kind"]],
            "side": np.where(orders["side"] > 0, "BUY", "SELL"),
            "qty": np.where(is_filled, orders["filled_qty"], orders["qty"]),
            "price": orders["price"],
            "ahead_qty": orders["ahead_qty"],
            "spread": orders["spread"],
            "activity": orders["activity"],
            "arrival_ns": arrival_ns,
            "end_ns": end_ns,
            "sent_ns": orders["arrival_ns"],
            "gone_ns": np.where(is_matched, np.minimum(orders["end_ns"], matched_ns), orders["end_ns"]),
            "is_filled": is_filled,
            "fill_ns": np.where(is_filled, printed_ns, NEVER_NS),
            "is_marketable": feed.would_take(orders["side"], orders["price"], arrival_ns, before_seq),
            "before_seq": before_seq,
            "end_seq": np.where(is_filled, 0, end_seq),
            "is_matched": is_matched,
        }
    )


def play_shadows(session: Session, shadows: pd.DataFrame, model: Any, **options: Any) -> pd.DataFrame:
    """Return what each shadow got under one queue model: `filled_qty`, `first_ns`, `whole_ns` (NEVER where it did not happen).

    Parameters
    ----------
    session : Session
        The feed that the simulator sees; a degraded one where asked.
    shadows : pandas.DataFrame
        Rows of `shadow_orders`, with `post_only` where asked; the index of the answer is theirs.
    model : QueueModel or path
        As `fills.simulate` takes it.
    **options
        More arguments of `fills.simulate`.
    """
    import pandas as pd

    from fills import simulate

    is_exact = model == QueueModel.FIFO
    from_ns, until_ns = (shadows[name] for name in (("sent_ns", "gone_ns") if is_exact else ("arrival_ns", "end_ns")))
    given = pd.DataFrame(
        {
            "order_id": np.arange(len(shadows)),
            "symbol": shadows["symbol"].to_numpy(),
            "ts_ns": from_ns.to_numpy(),
            "side": shadows["side"].to_numpy(),
            "qty": shadows["qty"].to_numpy(),
            "limit_price": shadows["price"].to_numpy() / session.scale,
            "tif": "DAY",
            "post_only": shadows["post_only"].to_numpy() if "post_only" in shadows.columns else 0,
            "cancel_ts_ns": (until_ns + np.where(shadows["is_filled"], PATIENCE_NS, 0)).to_numpy(),
            "before_seq": shadows["before_seq"].to_numpy(),
            "cancel_before_seq": shadows["end_seq"].to_numpy(),
        }
    )
    fills = simulate(session, given, queue=model, latency=0, independent=True, own_in_book=True, **options)
    got = gathered(fills, shadows).drop(columns="last_ns")
    late_ns = (shadows["end_ns"] - until_ns).to_numpy()
    return got.assign(**{name: got[name].where(got[name] == NEVER_NS, got[name] + late_ns) for name in ("first_ns", "whole_ns")})


def gathered(fills: pd.DataFrame, shadows: pd.DataFrame) -> pd.DataFrame:
    """Add the fills of each order up; `order_id` counts the rows of `shadows`, whose index the answer has."""
    import pandas as pd

    rows = fills["order_id"].to_numpy(np.int64)
    got = np.zeros(len(shadows), np.int64)
    np.add.at(got, rows, fills["qty"].to_numpy(np.int64))
    first, last = np.full(len(shadows), NEVER_NS), np.zeros(len(shadows), np.int64)
    np.minimum.at(first, rows, fills["ts_ns"].to_numpy(np.int64))
    np.maximum.at(last, rows, fills["ts_ns"].to_numpy(np.int64))
    whole = np.where(got >= shadows["qty"].to_numpy(), last, NEVER_NS)
    columns = {"filled_qty": got, "first_ns": first, "last_ns": np.where(got > 0, last, NEVER_NS), "whole_ns": whole}
    return pd.DataFrame(columns, index=shadows.index)
