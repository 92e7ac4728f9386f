"""The bundled sample, `data/sample`: one quiet day of four symbols, small enough for the repository.

`python -m replay.synth.sample DIR` makes it. The signal is stronger than life's (IC 0.5), or the gate would stay shut and the
sample would show nothing of orders and fills.
"""

import sys
from datetime import date
from pathlib import Path

from replay.synth.sessions import generate
from replay.synth.settings import SynthSettings

SAMPLE_DAY = date(2026, 3, 2)
SAMPLE = SynthSettings(symbols=4, seed=7, ic=0.5, halts=1, gaps=1, activity=0.12, depth=0.4, volatility=0.7)


def generate_sample(out: str | Path) -> Path:
    """Write the sample session into `out` and return its folder."""
    return generate(out, SAMPLE, start_day=SAMPLE_DAY)[0]


if __name__ == "__main__":
    generate_sample(sys.argv[1] if len(sys.argv) > 1 else "data/sample")
