"""The enhanced planner, against its plain twin and its laws."""

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.strategy import planner_world as world
from tests.strategy.planner_world import NAMES, Pair, S

lots = st.sampled_from([1, 1, 10])


@given(world.scripts, world.settings, world.budgets, lots)
@hypothesis_settings(max_examples=300, deadline=None)
def test_planner_equals_the_plain_twin(script, changes, limits, lot):
    """Requests, timers, positions and the place in the queue equal those of the plain twin, step by step."""
    pair = Pair(changes, limits, lot)
    for step in script:
        pair.play(step)


@given(world.scripts, world.settings)
@hypothesis_settings(max_examples=150, deadline=None)
def test_children_never_ask_beyond_the_target(script, changes):
    """What a request may still fill never brings the position beyond the target in force."""
    pair, targets = Pair(changes), [0, 0]
    for step in script:
        if step[0] == "target":
            targets[step[1]] = 0 if step[4] != "entry" else step[2]
        asked = pair.play(step)
        for name, s, number, *terms in asked:
            order = next(one for one in pair.exchange.orders if one["id"] == number)
            if name != "CANCEL":
                left_qty = (terms[1] if name == "NEW" else terms[0]) - order["filled"]
                reached = pair.planner.position(NAMES[s]) + order["side"] * left_qty
                assert order["side"] * reached <= order["side"] * targets[s]


@given(world.scripts, world.settings)
@hypothesis_settings(max_examples=150, deadline=None)
def test_no_entry_is_limited_beyond_its_cap(script, changes):
    """No limit of an entry lies farther from the mid at its start than `entry_slippage_bps`."""
    pair, starts, is_exit = Pair(changes), {}, [False, False]
    share = pair.planner.settings.entry_slippage_bps / 10_000
    for step in script:
        if step[0] == "target":
            is_exit[step[1]] = step[4] != "entry"
        for name, s, _, *terms in pair.play(step):
            plan = pair.twin.symbols[s].plan
            if name != "CANCEL" and not is_exit[s] and plan and not plan["exit"]:
                if name == "NEW" and plan["slices"] == 1:
                    starts[s] = sum(pair.twin.symbols[s].quote[:2]) / 2
                side = plan["side"]
                assert side * terms[-1] <= side * starts[s] * (1 + side * share) + 1e-6


@given(world.scripts, world.budgets)
@hypothesis_settings(max_examples=150, deadline=None)
def test_no_window_exceeds_a_limit(script, limits):
    """Every window of a minute and of a second holds at most its limit of messages, cancels included."""
    pair = Pair(None, limits)
    for step in script:
        pair.play(step)
    times = [ts_ns for ts_ns, _ in pair.asked]

    for end_ns in times:
        assert limits["messages_per_min"] >= sum(1 for ts_ns in times if end_ns - 60 * S < ts_ns <= end_ns)
        assert limits["messages_per_s"] >= sum(1 for ts_ns in times if end_ns - S < ts_ns <= end_ns)


def mirrored(script):
    """Return a script with both sides of the market, prints and targets exchanged about tick 10,000."""
    for step in script:
        if step[0] == "quote":
            _, s, bid, width, bid_qty, ask_qty = step
            yield ("quote", s, 20_000 - bid - width, width, ask_qty, bid_qty)
        elif step[0] == "trade":
            yield None
        elif step[0] == "target":
            yield (*step[:2], -step[2], *step[3:])
        else:
            yield step


@given(world.scripts, st.sampled_from(["mid", "touch"]))
@hypothesis_settings(max_examples=100, deadline=None)
def test_a_mirrored_market_gives_mirrored_requests(script, start):
    """With both sides exchanged the planner asks for the same quantities at mirrored prices."""
    changes = {"start": start, "fee_min_usd": 0.0, "entry_slippage_bps": 5_000.0, "exit_slippage_bps": 4_000.0}
    script = [step for step in script if step[0] != "trade" and not (step[0] == "quote" and step[1] == 1)]
    script = [step for step in script if step[1] != 1 or step[0] == "wait"]
    pair, twin = Pair(changes), Pair(changes)
    for step, other in zip(script, mirrored(script), strict=True):
        expected = [flipped(ask) for ask in pair.play(step)]
        assert expected == twin.play(other)


def flipped(ask):
    """Return the mirrored request."""
    name, s, number, *terms = ask
    if name == "NEW":
        return (name, s, number, -terms[0], terms[1], 2_000_000 - terms[2])
    return ask if name == "CANCEL" else (name, s, number, terms[0], 2_000_000 - terms[1])
