"""The three doors: the examples run, keep their contracts, and breaches are named."""

from datetime import time
from pathlib import Path

import pytest

from replay import Forecast, OrderRequest, Watch, bind, check_forecaster, check_kernel, check_strategy, run
from replay.errors import CapacityError, UsageError
from replay.strategies import load_strategy

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample"
MORNING = {"start": time(9, 30), "end": time(10, 0)}


@pytest.mark.parametrize(
    "place", ["examples/forecaster.py:Reversion", "examples/strategy.py:TouchQuoter", "examples/kernel.py:imbalance_taker"]
)
def test_examples_run(place):
    """Each example runs over the sample by its name."""
    result = run([SAMPLE], strategy=str(ROOT / place), **MORNING)

    assert result.summary["events"] > 1000
    assert result.manifest["inputs"]["strategy"]["name"].endswith(place)
    assert len(result.orders) > 0 or len(result.decisions) > 0


def test_examples_keep_their_contracts():
    """The examples pass the checks that come with their doors."""
    check_forecaster(load_strategy(str(ROOT / "examples/forecaster.py:Reversion")))
    for place in ("examples/strategy.py:TouchQuoter", "examples/pegger.py:Pegger"):
        check_strategy(lambda place=place: load_strategy(str(ROOT / place)))
    check_kernel(load_strategy(str(ROOT / "examples/kernel.py:imbalance_taker")))


class Forgetful:
    """A strategy that keeps part of its state from `state()`."""

    watch = Watch(quotes="any", forecasts=False)

    def __init__(self):
        self.seen = 0

    def on_wake(self, view, wake):
        """Order at every hundredth quote."""
        self.seen += wake.reason == "quote"
        if wake.reason == "quote" and self.seen % 100 == 0:
            return [OrderRequest(symbol=wake.symbol, side="BUY", qty=1, limit_price=view.touch(wake.symbol)[0])]
        return []

    def state(self):
        """Forget the count."""
        return {}

    def restore(self, state):
        """Restore nothing."""


class Moody:
    """A forecaster whose answers depend on more than its arguments."""

    horizons_min = (5,)

    def __init__(self):
        self.asked = 0

    def on_bar(self, features, ts_ns):
        """Answer differently each time."""
        self.asked += 1
        return [Forecast(symbol="AAA", horizon_min=5, mu_bps=float(self.asked), sigma_bps=1.0)]


def test_breaches_are_named():
    """A check says what is wrong: hidden state, changing answers, a wrong signature."""
    with pytest.raises(UsageError, match="Forgetful went on differently after a restart"):
        check_strategy(Forgetful)
    with pytest.raises(UsageError, match="two answers to one question"):
        check_forecaster(Moody())
    with pytest.raises(UsageError, match="takes 2 arguments, expected decide"):
        bind(lambda_like)
    with pytest.raises(UsageError, match="plain function"):
        bind(lambda wake, i, block, desk, state: None)
    local = 5

    def closure(wake, i, block, desk, state):
        desk.clock[0]["now_ns"] = local

    with pytest.raises(UsageError, match="closes over local"):
        bind(closure)


def lambda_like(wake, i):
    """Have a wrong signature."""


class Hoarder:
    """A strategy that never cancels."""

    watch = Watch(quotes="any", forecasts=False)

    def on_wake(self, view, wake):
        """Order far from the market at every quote."""
        if wake.reason == "quote":
            yield OrderRequest(symbol=wake.symbol, side="BUY", qty=1, limit_price=1.0)

    def state(self):
        """Have no state."""
        return {}

    def restore(self, state):
        """Restore nothing."""


def test_t23_a_full_order_table_is_an_error_that_names_the_setting():
    """Reaching the capacity of own live orders stops the run with the setting that raises it."""
    with pytest.raises(CapacityError, match=r"own live orders of one symbol.*raise run.order_slots"):
        run([SAMPLE], strategy=Hoarder(), **MORNING)


class Broken(Hoarder):
    """A strategy with a fault of its own."""

    def on_wake(self, view, wake):
        """Divide by zero."""
        return 1 // (wake.reason == "never")


class BrokenForecaster:
    """A forecaster with a fault of its own."""

    horizons_min = (5,)

    def on_bar(self, features, ts_ns):
        """Ask for a symbol that is none."""
        return features["NONE"]


class Awkward(Hoarder):
    """A strategy whose method takes other arguments."""

    def on_wake(self):
        """Take nothing."""


@pytest.mark.parametrize(
    ("faulty", "method", "error"),
    [
        (Broken(), "on_wake", r"ZeroDivisionError: .* \(`test_doors.py`, line \d+\)"),
        (BrokenForecaster(), "on_bar", r"KeyError: 'NONE' \(`test_doors.py`, line \d+\)"),
        (Awkward(), "on_wake", "TypeError: .*takes 1 positional argument but 3 were given"),
    ],
)
def test_a_fault_of_own_code_is_told_with_its_line(faulty, method, error):
    """What a user's code raises is no fault of ours: the message names class, method, error and line."""
    with pytest.raises(UsageError, match=f"{type(faulty).__name__} failed in {method}: {error}"):
        run([SAMPLE], strategy=faulty, **MORNING)


def test_a_fault_of_ours_is_not_put_on_own_code(monkeypatch):
    """What goes wrong while a request is sent stays the error that it is."""

    def fail(*_args, **_named):
        raise ZeroDivisionError

    monkeypatch.setattr("replay.engine.python_door.send_order", fail)

    with pytest.raises(ZeroDivisionError):
        run([SAMPLE], strategy=Hoarder(), **MORNING)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module' .*line 1"),
        ("class Own:\n    def __init__(self):\n        raise ValueError('no model')\n", "ValueError: no model .*line 3"),
        ("class Own\n", "SyntaxError: expected ':'.*line 1"),
    ],
)
def test_own_code_that_cannot_be_loaded_is_told_with_its_line(tmp_path, text, error):
    """A file that does not import, and a class that does not begin, are named with what they raised."""
    (tmp_path / "own.py").write_text(text)

    with pytest.raises(UsageError, match=f"own.py.*{error}"):
        load_strategy(f"{tmp_path / 'own.py'}:Own")


def test_unknown_symbol_in_a_request_is_named():
    """A request for a symbol that the run does not have says which symbols it has."""

    class Stranger(Hoarder):
        def on_wake(self, view, wake):
            return [OrderRequest(symbol="NOPE", side="BUY", qty=1, limit_price=1.0)]

    with pytest.raises(UsageError, match="unknown symbol 'NOPE'; this run has ALFA"):
        run([SAMPLE], strategy=Stranger(), **MORNING)
