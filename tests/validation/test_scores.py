"""Scores and intervals: against counts by hand and against resampling done the long way."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.errors import UsageError
from replay.validation.bootstrap import Blocks, blocks_of_time
from replay.validation.coverage import coverage
from replay.validation.outcomes import HORIZONS_S, Verdict, filled_within, judge
from replay.validation.scores import ALL, reliability, score, wide, with_buckets
from replay.validation.shadows import NEVER_NS

SECOND_NS = 1_000_000_000


def orders(fills_s: list[float | None], ahead: list[int] | None = None) -> pd.DataFrame:
    """Return real orders that arrived at time 0, filled at the given second or never."""
    fill_ns = [NEVER_NS if at is None else int(at * SECOND_NS) for at in fills_s]
    frame = pd.DataFrame({"fill_ns": fill_ns, "is_filled": [at is not None for at in fills_s]})
    known = {"arrival_ns": 0, "kind": "join", "symbol": "A", "spread_ticks": 1, "activity": 1}
    return with_buckets(frame.assign(**known, ahead_qty=ahead or [10] * len(frame)))


def got(fills_s: list[float | None]) -> pd.DataFrame:
    """Return shadows that were wholly filled at the given second, or not at all."""
    whole_ns = [NEVER_NS if at is None else int(at * SECOND_NS) for at in fills_s]
    return pd.DataFrame({"whole_ns": whole_ns, "filled_qty": [0 if at is None else 100 for at in fills_s]})


def one_block(n: int, resamples: int = 0) -> Blocks:
    return Blocks(np.arange(n), resamples, 0)


REAL: list[float | None] = [1, 1, 1, 1, None, None]
SHADOW: list[float | None] = [1, 0.5, 3, None, 0.2, None]


def test_verdicts_are_told_apart() -> None:
    """Same instant, earlier, later, never; wrong and right for orders that were cancelled."""
    judged = judge(orders(REAL), got(SHADOW))

    assert list(Verdict) == judged["verdict"].tolist()
    np.testing.assert_allclose([0, -0.5, 2, np.nan, np.nan, np.nan], judged["error_s"])


def test_a_microsecond_is_the_same_instant_and_more_is_not() -> None:
    """The same instant is up to 1 us apart, or as far as a poorer clock can tell."""
    real = orders([1.0, 1.0])
    shadow = got([1.000001, 1.0000011])

    assert [Verdict.SAME, Verdict.LATER] == judge(real, shadow)["verdict"].tolist()
    assert [Verdict.SAME, Verdict.SAME] == judge(real, shadow, same_ns=2000)["verdict"].tolist()


def test_a_single_share_is_a_wrong_fill() -> None:
    """A cancelled order whose shadow got part of its quantity was filled wrongly."""
    shadow = pd.DataFrame({"whole_ns": [NEVER_NS], "filled_qty": [1]})

    assert [Verdict.WRONG] == judge(orders([None]), shadow)["verdict"].tolist()


def scored(real: pd.DataFrame, shadow: pd.DataFrame, blocks: Blocks) -> pd.DataFrame:
    chances = {h: filled_within(real, shadow["whole_ns"].to_numpy(), h) for h in HORIZONS_S}
    return pd.DataFrame(score(real, judge(real, shadow), chances, blocks)).assign(feed="full", model="m")


def test_shares_errors_and_brier_scores_are_those_counted_by_hand() -> None:
    """Shares of the filled and of the cancelled, quantiles of the absolute error, mean squared error of 0-1 chances."""
    table = wide(scored(orders(REAL), got(SHADOW), one_block(6))).iloc[0]

    assert [0.25] * 4 + [0.5] == table[["same", "earlier", "later", "never", "wrong"]].tolist()
    assert [0.5, 2.0] == table[["error_p50_s", "error_p90_s"]].tolist()
    assert [0 / 6, (1 + 1 + 1) / 6, 2 / 6, 2 / 6] == table[[f"brier_{h:g}s" for h in HORIZONS_S]].tolist()
    assert pytest.approx((0 + 3 + 2 + 2) / 24) == table["brier"]


def test_buckets_are_thirds_of_the_orders_and_add_up() -> None:
    """Queue ahead is cut into thirds named by their range; equal values share a bucket; counts add up to all."""
    real = orders([1.0] * 6, ahead=[1, 2, 30, 31, 500, 900])
    rows = scored(real, got([1.0] * 6), one_block(6))
    same = rows[rows["metric"] == "same"]

    assert ["1 to 2", "30 to 31", "500 to 900"] == same[same["by"] == "ahead"]["bucket"].tolist()
    assert ["1"] == same[same["by"] == "spread"]["bucket"].tolist()
    assert {6} == set(same.groupby("by")["n"].sum())


def test_reliability_says_how_often_a_named_chance_came_true() -> None:
    """Of the orders whose chance was named 1, the share that was really filled in time."""
    real, shadow = orders(REAL), got(SHADOW)
    chances = {5.0: filled_within(real, shadow["whole_ns"].to_numpy(), 5.0)}
    rows = pd.DataFrame(reliability(real, chances, one_block(6)))

    assert [(0.0, 2, 0.5), (1.0, 4, 0.75)] == list(rows[["chance", "n", "value"]].itertuples(index=False, name=None))


def test_bands_hold_the_truth_or_not() -> None:
    """The count is held between pessimistic and optimistic; a fate is held by the band that could refute it."""
    real = orders([1.0, 1.0, None, None])
    bands = {"pessimistic": got([1, None, None, 1]), "expected": got([1, 1, None, 1]), "optimistic": got([1, None, 1, 1])}
    row = coverage(real, "full", bands, one_block(4))[0]

    assert (2, 2, 3, 3, True, 0.5) == tuple(
        row[name] for name in ("real", "pessimistic", "expected", "optimistic", "is_covered", "held")
    )


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1)), min_size=2, max_size=30), st.integers(0, 5))
def test_intervals_are_those_of_drawing_whole_blocks(cases: list[tuple[int, int]], seed: int) -> None:
    """The quick sums over blocks give the figures of laying the drawn blocks out, order by order."""
    block = np.unique([b for b, _ in cases], return_inverse=True)[1]
    part, which = np.array([float(hit) for _, hit in cases]), np.arange(len(cases))
    blocks = Blocks(block, 40, seed)
    drawn = [np.concatenate([np.repeat(part[block == b], times) for b, times in enumerate(row)]) for row in blocks.weights]
    low, high = np.quantile([sample.mean() for sample in drawn], [0.025, 0.975])

    assert pytest.approx((part.mean(), low, high)) == tuple(blocks.ratio(part, np.ones(len(part)), which))
    middle = np.quantile([np.quantile(sample, 0.5, method="inverted_cdf") for sample in drawn], [0.025, 0.975])
    assert pytest.approx(tuple(middle)) == tuple(blocks.quantile(part, 0.5, which))[1:]


def test_the_same_seed_gives_the_same_intervals() -> None:
    """Draws depend on the seed alone; none are made where none are wanted."""
    block = np.arange(50) // 5
    part, whole, which = np.sqrt(np.arange(50)), np.ones(50), np.arange(50)

    assert Blocks(block, 200, 3).ratio(part, whole, which) == Blocks(block, 200, 3).ratio(part, whole, which)
    assert Blocks(block, 200, 3).ratio(part, whole, which) != Blocks(block, 200, 4).ratio(part, whole, which)
    assert [True, True] == np.isnan(Blocks(block, 0, 3).ratio(part, whole, which)[1:]).tolist()


def test_blocks_of_time_keep_sessions_apart() -> None:
    """Orders of one stretch share a block, those of another session never."""
    numbers = blocks_of_time(np.array([0, 0, 0, 1]), np.array([0, 29, 30, 0]) * SECOND_NS, 30.0)

    assert [0, 0, 1, 2] == numbers.tolist()
    with pytest.raises(UsageError, match="`block_s` must be positive"):
        blocks_of_time(np.zeros(1), np.zeros(1), 0)
    with pytest.raises(UsageError, match="`resamples` must be 0 or more"):
        Blocks(np.zeros(1, np.int64), -1, 0)


def test_all_scores_carry_their_count() -> None:
    """A share over filled orders counts the filled ones, one over cancelled the cancelled ones, a Brier score all."""
    rows = scored(orders(REAL), got(SHADOW), one_block(6))
    whole = rows[rows["by"] == ALL].set_index("metric")["n"]

    assert (4, 2, 6, 3) == (whole["same"], whole["wrong"], whole["brier"], whole["error_p50_s"])
