"""Forms: which form of each component acts for a symbol now, and what becomes of it.

A component that is configured as enhanced acts so, unless one of three lets its original act in its place::

    trades      `pipeline.trades = "original"`: the original pipeline trades, the enhanced one only learns
    rollout     the symbol, or this cycle of it, lies outside the component's share (`strategy.rollout`)
    breaker     the enhanced form kept failing for this symbol (`strategy.breaker`)

Both forms keep learning, one acts: what learns reads `state.params`, the settings as they were configured; what acts reads
`state.params_acting`, the same with the modes in force. A plan is worked to its end in the form that it began in. The message
budget has no fallback: it belongs to the account, not to a symbol, and a limit that gives way is none.

The steps of a decision note what they asked for (`note`): an answer that no sound input can lead to is a failure. It ends the
decision of this symbol with a reason, sets the component's bit in `status`, and counts for its breaker (`settle`).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from replay.bundle import bundle
from replay.events import Kind
from replay.jit import kernel
from strategy.breaker import BREAKER, CLOSED, OPEN, is_off, may_act, note_failure, note_sound
from strategy.decision import Component
from strategy.modes import ENHANCED, MODES, ORIGINAL
from strategy.plan import IDLE
from strategy.rollout import BY_CYCLE, is_chosen, symbol_key

TRADERS = ("enhanced", "original")
ORIGINAL_TRADES = TRADERS.index("original")
N_COMPONENTS = len(Component)

MARKS = np.dtype(
    [
        ("is_original", "i8"),  # every component acts in its original form
        ("is_beside", "i8"),  # this is the side that does not trade
        ("enhanced", "i8"),  # bit per Component: acts in its enhanced form
        ("as_original", "i8"),  # is configured as enhanced, and acts in its original form
        ("failed", "i8"),
        ("sound", "i8"),
    ],
    align=True,
)


@bundle
class Forms(NamedTuple):
    """Who acts."""

    breakers: np.ndarray  # BREAKER (n_symbols, N_COMPONENTS)
    not_closed: np.ndarray  # int64 (n_symbols,), bit per Component whose breaker is not closed
    decision_counts: np.ndarray  # int64 (n_symbols,)
    rollout_keys: np.ndarray  # int64 (n_symbols,)
    rollout_seed: np.ndarray  # int64 (1,)
    rollout_shares: np.ndarray  # float64 (N_COMPONENTS,)
    modes_configured: np.ndarray  # int64 (N_COMPONENTS,), ORIGINAL where there is no rollout
    modes: np.ndarray  # int64 (N_COMPONENTS,), scratch: those in force
    marks: np.ndarray  # MARKS (1,), scratch


def new_forms(n_symbols: int, settings: Any, symbols: Sequence[str] = (), seed: int = 0) -> Forms:
    """Return closed breakers; `settings` are those of all components, `symbols` names by index (their index where left out)."""
    names = symbols or [str(k) for k in range(n_symbols)]
    sections = [getattr(settings, component.name.lower()) for component in Component]
    modes = [MODES.index(section.mode) if hasattr(section, "rollout") else ORIGINAL for section in sections]
    return Forms(
        breakers=np.zeros((n_symbols, N_COMPONENTS), BREAKER),
        not_closed=np.zeros(n_symbols, np.int64),
        decision_counts=np.zeros(n_symbols, np.int64),
        rollout_keys=np.array([symbol_key(name) for name in names], np.int64),
        rollout_seed=np.array([seed], np.int64),
        rollout_shares=np.array([getattr(section, "rollout", 1.0) for section in sections]),
        modes_configured=np.array(modes, np.int64),
        modes=np.zeros(N_COMPONENTS, np.int64),
        marks=np.zeros(1, MARKS),
    )


@kernel
def set_forms(s, now_ns, is_beside, state):
    """Write the modes that are in force for a symbol now into `state.params_acting`."""
    marks = state.forms.marks[0]
    marks["is_beside"] = is_beside
    marks["is_original"] = (state.params["pipeline"][0]["trades"] == ORIGINAL_TRADES) != is_beside
    marks["enhanced"] = 0
    marks["as_original"] = 0
    marks["failed"] = 0
    marks["sound"] = 0
    for c in range(N_COMPONENTS):
        state.forms.modes[c] = state.forms.modes_configured[c]
        if c != Component.PLANNER:
            state.forms.modes[c] = _form(s, c, now_ns, state)
    if is_beside == 0:
        _set_planner_form(s, now_ns, state)
    _write_modes(state.forms.modes, state.params_acting)


@kernel
def _write_modes(modes, acting):
    acting["staleness"][0]["mode"] = modes[Component.STALENESS]
    acting["cost"][0]["mode"] = modes[Component.COST]
    acting["gate"][0]["mode"] = modes[Component.GATE]
    acting["arbiter"][0]["mode"] = modes[Component.ARBITER]
    acting["barriers"][0]["mode"] = modes[Component.BARRIERS]
    acting["risk"][0]["mode"] = modes[Component.RISK]
    acting["renorm"][0]["mode"] = modes[Component.RENORM]
    acting["rebalance"][0]["mode"] = modes[Component.REBALANCE]


@kernel
def _form(s, c, now_ns, state):
    """Return the mode in which component `c` acts, and mark it."""
    forms = state.forms
    marks = forms.marks[0]
    if forms.modes_configured[c] != ENHANCED:
        return forms.modes_configured[c]
    count = forms.decision_counts[s] if state.params["pipeline"][0]["rollout_by"] == BY_CYCLE else 0
    if (
        marks["is_original"] == 0
        and is_chosen(forms.rollout_seed[0], forms.rollout_keys[s], c, count, forms.rollout_shares[c])
        and may_act(forms.breakers, s, c, now_ns, state.params["breaker"])
    ):
        marks["enhanced"] |= 1 << c
        return ENHANCED
    marks["as_original"] |= 1 << c
    return ORIGINAL


@kernel
def _set_planner_form(s, now_ns, state):
    """Choose the form of the next plan; one that works, or waits, keeps its own."""
    planner = state.planner
    if planner.plans[s]["state"] == IDLE and planner.intents[s]["is_set"] == 0:
        planner.forms[s] = _form(s, Component.PLANNER, now_ns, state)
    elif planner.forms[s] != state.forms.modes_configured[Component.PLANNER]:
        state.forms.marks[0]["as_original"] |= 1 << Component.PLANNER


@kernel
def note(c, is_failed, state):
    """Note what component `c` answered in this decision; a failure shows in `status`, whichever form it was of."""
    marks = state.forms.marks[0]
    if is_failed:
        marks["failed"] |= 1 << c
        state.decision[0]["status"] |= 1 << c
    else:
        marks["sound"] |= 1 << c


@kernel
def is_acting(c, state):
    """Tell whether the enhanced form of component `c` acts in this decision."""
    return (state.forms.marks[0]["enhanced"] >> c) & 1 == 1


@kernel
def settle(s, now_ns, state):
    """Tell the breakers of a symbol what became of the forms that acted; return the bits of those that are open then."""
    forms = state.forms
    marks = forms.marks[0]
    failed = marks["failed"] & marks["enhanced"]
    if (failed == 0 and forms.not_closed[s] == 0) or is_off(state.params["breaker"]):
        return 0
    sound = marks["sound"] & marks["enhanced"] & ~failed
    open_bits = 0
    for c in range(N_COMPONENTS):
        if (failed >> c) & 1:
            note_failure(forms.breakers, s, c, now_ns, state.params["breaker"])
        elif (sound >> c) & 1:
            note_sound(forms.breakers, s, c)
        if forms.breakers[s, c]["state"] == OPEN:
            open_bits |= 1 << c
        _remember(s, c, forms)
    return open_bits


@kernel
def settle_planner(s, kind, now_ns, state):
    """Tell the planner's breaker that the broker took an order of the enhanced form, or refused it."""
    if state.planner.forms[s] != ENHANCED:
        return
    if kind == Kind.REJECTED:
        note_failure(state.forms.breakers, s, Component.PLANNER, now_ns, state.params["breaker"])
    elif kind == Kind.ACK:
        note_sound(state.forms.breakers, s, Component.PLANNER)
    _remember(s, Component.PLANNER, state.forms)


@kernel
def _remember(s, c, forms):
    """Bring the symbol's bits in line with one breaker."""
    bit = 1 << c
    if forms.breakers[s, c]["state"] == CLOSED:
        forms.not_closed[s] &= ~bit
    else:
        forms.not_closed[s] |= bit
