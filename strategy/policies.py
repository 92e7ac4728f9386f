"""Policies over horizons, and the mixture of them that the enhanced arbiter plays.

A policy says how much of a decision each horizon should have. Its reward is what those horizons really earned, net of their cost
and in units of their volatility, traded or not: all are seen in the end, so nothing has to be explored::

    0         the original arbiter                                     prior 1/2
    1         the meta-learner: softmax of its predicted net rewards   1/20
              over its temperature; the original where it says nothing
    2 ..      one pure horizon each                                    1/40, with all that follow but the blend
    2 + n ..  the discounted leaders (`strategy.leaders`),             their blend, the last of them: what is left
    last      no trade: reward 0

    x_k  = clip((side_k y_k - cost_k) / sigma_k, +-4),   side_k = sign(mu_k)       known when horizon k has passed
    l_j  = - sum_k P_j(k) x_k                                                      known when all horizons have
    v    = AdaHedge over the l_j (`strategy.hedge`),      W(k) = sum_j v'_j P_j(k),   v' over those that trade

Rewards are matured outcomes only, never predictions. A record is judged with the P and v that were in force when it was made; one
that lacks an outcome in the end (halt, gap, close) is dropped.
"""

from typing import NamedTuple

import numpy as np

from replay.bundle import bundle
from replay.jit import kernel
from strategy.decision import MAX_HORIZONS
from strategy.hedge import HEDGE, MAX_POLICIES, learn_losses, weigh
from strategy.leaders import BLEND, LEADERS, N_HAZARDS, N_LEADERS, judge_prediction, learn_reward

ORIGINAL = 0
META = 1
FIRST_PURE = 2
REWARD_MAX = 4.0
PRIOR_ORIGINAL = 0.5
PRIOR_META = 0.1  # of what the original leaves
PRIOR_OTHERS = 0.05  # too, shared; what is left is the blend's
assert FIRST_PURE + MAX_HORIZONS + N_LEADERS + 1 <= MAX_POLICIES

PLAY = np.dtype(
    [
        ("policy", "f8", (MAX_POLICIES, MAX_HORIZONS)),  # P
        ("weight", "f8", (MAX_POLICIES,)),  # v
        ("trading", "f8", (MAX_POLICIES,)),  # v among the policies that trade
        ("predicted", "f8", (N_HAZARDS, MAX_HORIZONS)),  # what the leaders expected of each horizon
        ("reward", "f8", (MAX_HORIZONS,)),  # x, as they become known
        ("waiting_count", "i8"),  # outcomes still to come
        ("is_broken", "i8"),  # one of them never will
    ],
    align=True,
)

TURNS = np.dtype([("head", "i8"), ("tail", "i8"), ("dropped_count", "i8")], align=True)


@bundle
class Mixture(NamedTuple):
    """State of the mixture; index 0 is the symbol."""

    hedges: np.ndarray  # HEDGE (n_symbols,)
    leaders: np.ndarray  # LEADERS (n_symbols,)
    plays: np.ndarray  # PLAY (n_symbols, slots + 1): a ring of records, and one spare
    turns: np.ndarray  # TURNS (n_symbols,)
    scratch: np.ndarray  # float64 (MAX_POLICIES,)


def new_mixture(n_symbols: int, n_horizons: int, slots: int) -> Mixture:
    """Return a mixture without history; `slots` records of one symbol may wait for their outcomes."""
    hedges = np.zeros(n_symbols, HEDGE)
    hedges["prior"] = prior_of(n_horizons, (ORIGINAL, META))
    return Mixture(
        hedges=hedges,
        leaders=np.zeros(n_symbols, LEADERS),
        plays=np.zeros((n_symbols, slots + 1), PLAY),
        turns=np.zeros(n_symbols, TURNS),
        scratch=np.zeros(MAX_POLICIES),
    )


def prior_of(n_horizons: int, given: tuple[int, ...]) -> np.ndarray:
    """Return the prior, a weight per policy; `given` says which of ORIGINAL and META take part."""
    n = n_policies(n_horizons)
    prior = np.zeros(MAX_POLICIES)
    prior[FIRST_PURE:n] = PRIOR_OTHERS / (n - FIRST_PURE - 1)
    prior[META] = PRIOR_META if META in given else 0.0
    prior[FIRST_PURE + n_horizons + BLEND] = 1.0 - PRIOR_OTHERS - prior[META]
    if ORIGINAL in given:
        prior *= 1.0 - PRIOR_ORIGINAL
        prior[ORIGINAL] = PRIOR_ORIGINAL
    return prior


@kernel
def n_policies(n_horizons):
    """Return how many policies there are over so many horizons."""
    return FIRST_PURE + n_horizons + N_LEADERS + 1


@kernel
def spare_slot(mixture):
    """Return the slot of the record that nobody waits for."""
    return mixture.plays.shape[1] - 1


@kernel
def set_play(s, slot, n, mixture):
    """Write the policies that know themselves, and all weights, into a record; the first two are the caller's to write."""
    play = mixture.plays[s, slot]
    for j in range(FIRST_PURE, n_policies(n)):
        for k in range(n):
            play["policy"][j, k] = 0.0
    for k in range(n):
        play["policy"][FIRST_PURE + k, k] = 1.0
    for g in range(N_LEADERS):
        play["policy"][FIRST_PURE + n + g, mixture.leaders[s]["leader"][g]] = 1.0
    for g in range(N_HAZARDS):
        for k in range(n):
            play["predicted"][g, k] = mixture.leaders[s]["mean"][g, k]
    weigh(mixture.hedges[s], n_policies(n), play["weight"], play["trading"])


@kernel
def mix(play, n, out):
    """Write W, the mixture over horizons of all policies that trade, into `out`; return the share that wants to trade at all.

    W sums to one. It is weighed among the policies that trade, so that it stays sensible while no-trade is far ahead.
    """
    total = 0.0
    for k in range(n):
        out[k] = 0.0
        for j in range(n_policies(n) - 1):
            out[k] += play["trading"][j] * play["policy"][j, k]
        total += out[k]
    for k in range(n):
        out[k] = out[k] / total
    return 1.0 - play["weight"][n_policies(n) - 1]


@kernel
def open_record(s, n_waiting, mixture):
    """Move the spare record into the ring, waiting for that many outcomes; return its running number.

    Where all slots wait, the oldest record is dropped.
    """
    turn = mixture.turns[s]
    slots = mixture.plays.shape[1] - 1
    if turn["head"] - turn["tail"] >= slots:
        turn["tail"] += 1
        turn["dropped_count"] += 1
    number = turn["head"]
    mixture.plays[s, number % slots] = mixture.plays[s, slots]
    play = mixture.plays[s, number % slots]
    play["waiting_count"] = n_waiting
    play["is_broken"] = 0
    for k in range(MAX_HORIZONS):
        play["reward"][k] = 0.0
    turn["head"] += 1
    return number


@kernel
def reward_of(mu_bps, sigma_bps, cost_bps, outcome_bps):
    """Return x, the net reward of a horizon in units of its volatility, clipped."""
    side = 1.0 if mu_bps > 0.0 else -1.0 if mu_bps < 0.0 else 0.0
    reward = (side * outcome_bps - cost_bps) / sigma_bps
    return min(max(reward, -REWARD_MAX), REWARD_MAX)


@kernel
def learn_outcome(s, k, n, number, reward, overlap, mixture):
    """Bring the matured reward of horizon `k` into the leaders and its record; NaN = it never came."""
    turn = mixture.turns[s]
    slots = mixture.plays.shape[1] - 1
    if number >= turn["tail"] and number < turn["head"]:
        play = mixture.plays[s, number % slots]
        play["waiting_count"] -= 1
        if reward == reward:
            play["reward"][k] = reward
            judge_prediction(mixture.leaders[s], k, n, reward, overlap, play["predicted"])
        else:
            play["is_broken"] = 1
    if reward == reward:
        learn_reward(mixture.leaders[s], k, n, reward, overlap)
    while turn["tail"] < turn["head"] and mixture.plays[s, turn["tail"] % slots]["waiting_count"] <= 0:
        _close(s, turn["tail"] % slots, n, mixture)
        turn["tail"] += 1


@kernel
def _close(s, slot, n, mixture):
    """Judge all policies by a record whose outcomes are known."""
    play = mixture.plays[s, slot]
    if play["is_broken"]:
        mixture.turns[s]["dropped_count"] += 1
        return
    for j in range(n_policies(n)):
        loss = 0.0
        for k in range(n):
            loss -= play["policy"][j, k] * play["reward"][k]
        mixture.scratch[j] = loss
    learn_losses(mixture.hedges[s], n_policies(n), play["weight"], play["trading"], mixture.scratch)


@kernel
def forget_waiting(mixture):
    """Drop all records that wait: no label crosses a night."""
    for s in range(len(mixture.turns)):
        turn = mixture.turns[s]
        turn["dropped_count"] += turn["head"] - turn["tail"]
        turn["tail"] = turn["head"]
