"""The gate's second rule beside its first."""

from datetime import time

WATCHING = ["gate.mode=enhanced", "gate.mean_z=0", "arbiter.reserve_bps=1e9"]  # everything learns, nothing is traded


def test_a_run_says_where_the_mean_edge_would_have_opened(replay_sample):
    """`mean_edge_bps` is above zero in exactly the decisions in which a run with `rule = "mean_edge"` opens its gate."""
    shown = replay_sample(WATCHING, end=time(16, 0))
    asked = replay_sample([*WATCHING, "gate.rule=mean_edge"], end=time(16, 0))
    would_open = shown.decisions["mean_edge_bps"] > 0
    is_open = asked.decisions["reason"] == "ARBITER_RESERVE"

    assert is_open.any()
    assert is_open.tolist() == would_open.tolist()
    assert asked.summary["gate"]["open_rate"] == shown.summary["gate"]["mean_edge_rate"]
