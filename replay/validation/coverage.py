"""Do the bands hold the truth? The real number of fills, and the fate of each order, between pessimistic and optimistic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from replay.validation.bootstrap import Blocks
from replay.validation.shadows import NEVER_NS

if TYPE_CHECKING:
    import pandas as pd


def coverage(orders: pd.DataFrame, feed: str, got: Mapping[str, pd.DataFrame], blocks: Blocks) -> list[dict[str, Any]]:
    """Return, by kind, the real number of filled orders beside the bands', and the share of orders whose fate they hold.

    A fate is held when an order that was really filled is filled in the optimistic band, and one that was really cancelled is
    not filled in the pessimistic band.

    Parameters
    ----------
    orders : pandas.DataFrame
        Real orders; row k is case k of `blocks`.
    feed : str
        Name of the feed.
    got : mapping of str to pandas.DataFrame
        What the shadows got, by band.
    blocks : Blocks
        Blocks of time of the orders.
    """
    is_filled = orders["is_filled"].to_numpy(bool)
    whole = {band: (frame["whole_ns"] < NEVER_NS).to_numpy() for band, frame in got.items()}
    any_qty = {band: (frame["filled_qty"] > 0).to_numpy() for band, frame in got.items()}
    is_held = np.where(is_filled, whole["optimistic"], ~any_qty["pessimistic"])
    rows = []
    for kind in sorted(orders["kind"].unique(), reverse=True):
        own = (orders["kind"] == kind).to_numpy()
        real, counts = int(is_filled[own].sum()), {band: int(filled[own].sum()) for band, filled in whole.items()}
        held = blocks.ratio(is_held.astype(np.float64), np.ones(len(orders)), np.flatnonzero(own))
        is_covered = counts["pessimistic"] <= real <= counts["optimistic"]
        fates = {"held": held.value, "held_low": held.low, "held_high": held.high}
        rows.append({"feed": feed, "kind": kind, "n": int(own.sum()), "real": real, **counts, "is_covered": is_covered, **fates})
    return rows
