"""Rollout: in which share of symbols, or of cycles, an enhanced form acts; elsewhere its original does.

Nothing is drawn from a generator. Each answer is a pure function of what it is asked for::

    acts  iff  u(seed, symbol, component, count) < rollout,      u uniform in (0, 1),   count = 0 by symbol, the symbol's own
                                                                                        number of decisions by cycle

so another symbol, component or seed beside it changes nothing; who acts at a share acts at every larger share too.
"""

from hashlib import sha256

from replay.errors import UsageError
from replay.jit import kernel
from replay.numeric import uniform
from strategy.border import check_counts, check_share, suggestion
from strategy.decision import Component

STREAM = 2  # of this file among all that draw from the seed of a run
WAYS = ("symbol", "cycle")
BY_CYCLE = WAYS.index("cycle")


def symbol_key(name: str) -> int:
    """Return the number of a symbol: from its name, so that its place among others does not matter."""
    return int.from_bytes(sha256(name.encode()).digest()[:7], "big")


@kernel
def is_chosen(seed, key, component, count, share):
    """Tell whether the enhanced form acts."""
    return share >= 1.0 or uniform(seed, STREAM, key, component, 0, count) < share


class Rollout:
    """Say where an enhanced component acts, in anybody's loop.

    Parameters
    ----------
    seed : int
        The same seed gives the same answers.

    Examples
    --------
    >>> rollout = Rollout(seed=1)
    >>> [name for name in ("AAPL", "MSFT", "NVDA", "SPY") if rollout.is_chosen("gate", name, share=0.5)]
    ['AAPL']
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    def is_chosen(self, component: str, symbol: str, share: float, count: int = 0) -> bool:
        """Tell whether the enhanced form of a component acts for a symbol; count its decisions to share them out one by one.

        Parameters
        ----------
        component : str
            Such as `gate`: a name of `strategy.decision.Component`, in small letters.
        symbol : str
        share : float
            Of symbols, or of decisions, 0 to 1.
        count : int
            Number of the decision of this symbol, to share decisions out; 0 shares symbols out.

        Raises
        ------
        UsageError
            For a component that there is not, or a share that is none.
        """
        names = [each.name.lower() for each in Component]
        if component not in names:
            raise UsageError(f"there is no component '{component}'{suggestion(component, names)}")
        check_share(share=share)
        check_counts(count=count)
        number = Component[component.upper()]
        return bool(is_chosen(self._seed, symbol_key(symbol), int(number), count, float(share)))
