"""The example that teaches latency does so."""

from pathlib import Path

from replay import Config, run

ROOT = Path(__file__).parents[2]


def gross_usd_and_fills(settings: str) -> tuple[float, int]:
    config = Config.load(ROOT / "examples" / settings) if settings else Config()
    summary = run([ROOT / "data/sample"], config, strategy=f"{ROOT}/examples/pegger.py:Pegger").summary
    return summary["gross_usd"], summary["fills"]


def test_following_the_touch_later_is_filled_more_and_earns_less():
    """No line, the default, a slow one: each next fills more often and loses at least a hundred dollars more, before fees."""
    (none_usd, none), (default_usd, default), (slow_usd, slow) = map(
        gross_usd_and_fills, ("no_latency.toml", "", "slow_line.toml")
    )

    assert none < default < slow
    assert none_usd - default_usd > 100
    assert default_usd - slow_usd > 100
