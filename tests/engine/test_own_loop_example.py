"""The example of an own loop: it trades, its checklist runs, and what breaks is replaced by the loop's own rules."""

import math
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "sample"
MINUTES = 40
MINUTE_NS = 60_000_000_000


@pytest.fixture
def example(monkeypatch):
    """Return the modules of the example, as a user runs them from their folder."""
    monkeypatch.syspath_prepend(str(ROOT / "examples" / "own_loop"))
    import loop
    import play

    yield loop, play
    for name in ("loop", "play"):
        sys.modules.pop(name)


def test_the_loop_trades_and_its_checklist_runs(example):
    """Forty minutes of the sample lead to fills without one error of a component, and cycles enough for a full check."""
    _, play = example
    loop, broker = play.play(SAMPLE, MINUTES)

    assert len(broker.fills) > 5
    assert 0 == loop.n_errors
    assert loop.checklist._n_cycles > 50
    assert loop.gate.coverage("ALFA", 5).matured_count == 0
    assert loop.gate._state.label_counts[0, 0] > 20


@pytest.mark.parametrize(
    ("name", "method"), [("guard", "check"), ("gate", "calibrate"), ("arbiter", "choose"), ("checklist", "log_cycle")]
)
def test_a_broken_component_leaves_the_loop_its_own_rules(example, monkeypatch, name, method):
    """While gate and arbiter warm up anyway, a loop in which one of them raises trades exactly as one in which none does."""
    _, play = example
    _, whole = play.play(SAMPLE, MINUTES)
    made = play.Loop

    def make(send):
        loop = made(send)
        monkeypatch.setattr(getattr(loop, name), method, broken)
        return loop

    def broken(*_args, **_known):
        raise RuntimeError("broken for the test")

    monkeypatch.setattr(play, "Loop", make)
    loop, broker = play.play(SAMPLE, MINUTES)

    assert loop.n_errors > 0
    assert whole.fills == broker.fills


def test_without_a_planner_the_loop_sends_its_own_orders(example, monkeypatch):
    """Each target that the planner cannot take becomes the loop's one limit at the touch, and the planner hears of its shares."""
    _, play = example
    made = play.Loop

    def make(send):
        loop = made(send)
        monkeypatch.setattr(loop.planner, "set_target", None)
        return loop

    monkeypatch.setattr(play, "Loop", make)
    loop, broker = play.play(SAMPLE, MINUTES)

    assert loop.n_errors > 0
    held = dict.fromkeys(loop.planner._names.symbols, 0)
    for symbol, qty, _ in broker.fills:
        held[symbol] += qty
        assert 100 == abs(held[symbol])
    assert held == {symbol: loop.planner.position(symbol) for symbol in held}


def test_a_horizon_without_a_forecast_is_no_error(example):
    """A model that leaves out the long horizons, or says NaN for one, is decided on with what it said."""
    loop_module, _ = example
    loop = loop_module.Loop(lambda *_: None)
    loop.on_quote(MINUTE_NS, "ALFA", 10.00, 100, 10.01, 100)
    loop.on_forecasts("ALFA", [(1, 5, 40.0, 10.0), (2, 30, math.nan, 10.0)])
    loop.on_quote(7 * MINUTE_NS, "ALFA", 10.02, 100, 10.03, 100)

    assert 0 == loop.n_errors
    assert 1 == loop.gate._state.label_counts[0, 0]


def test_a_path_without_a_session_is_one_sentence(tmp_path):
    """`play.py` on a folder that is none says so and leaves with the code of bad input, without a traceback."""
    command = [sys.executable, str(ROOT / "examples" / "own_loop" / "play.py"), str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (2, True, 1) == (done.returncode, done.stderr.startswith("there is no session"), done.stderr.count("\n"))
