"""Two runs over the same sessions, compared figure by figure, with intervals.

- `sums`: what a run earned, paid and did wrong in each stretch of time
- `execution`: what its fills cost, part by part
- `parents`: what was wanted and what it cost, filled or not
- `measures`: the figures, each a ratio of sums, and which way is better
- `bootstrap`: intervals of their differences, from stretches drawn again and again, the same ones for both runs
- `pairing`: which runs may be compared, and how their settings differ
- `comparison`: all of it joined
- `view`, `page`: how it looks on a terminal and as a page
"""

from replay.compare.comparison import Comparison, compare

__all__ = ["Comparison", "compare"]
