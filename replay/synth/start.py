"""The start state of the bundled sample: what the learning components know after five other days of its kind.

`python -m replay.synth.start FILE` makes it: the five trading days before the sample's day, of the same settings and seed, are
generated and run one after the other with every enhanced form on; of the final state the learned part is kept, without what
waits for an outcome. The sample's own day is not among them.
"""

import json
import sys
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from replay.config import Config
from replay.project import enhanced_toml
from replay.runner import run
from replay.synth.sample import SAMPLE
from replay.synth.sessions import generate

START_NAME = "start.npz"
FIRST_DAY = date(2026, 2, 23)
DAYS = 5
LEARNED = (
    "strategy.calibration.banks",
    "strategy.calibration.buckets",
    "strategy.calibration.edges",
    "strategy.calibration.label_counts",
    "strategy.mixture.hedges",
    "strategy.mixture.leaders",
    "strategy.features",
    "strategy.minutes",
    "strategy.guard",
)


def make_start(path: str | Path, progress: Callable[[str], None] | None = None) -> Path:
    """Write the start state and return its path; `progress` gets one line per day made and run."""
    path = Path(path)
    with TemporaryDirectory(prefix="replay-start-") as scratch:
        days = generate(Path(scratch) / "days", SAMPLE, days=DAYS, start_day=FIRST_DAY, progress=progress)
        whole = Path(scratch) / "state.npz"
        run(
            days,
            config=Config.from_values(tomllib.loads(enhanced_toml())),
            forecasts=Path(scratch) / "days" / "forecasts.parquet",
            state_out=whole,
        )
        _keep_learned(whole, path)
    return path


def _keep_learned(whole: Path, path: Path) -> None:
    """Write the part of a state that was learned; to a temporary name first."""
    with np.load(whole, allow_pickle=False) as file:
        meta = json.loads(str(file["meta"]))
        arrays = {f"array:{name}": file[f"array:{name}"] for name in LEARNED}
    meta |= {"is_part": True, "per_symbol": [name for name in meta["per_symbol"] if name in LEARNED]}
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez_compressed(file, meta=np.array(json.dumps(meta)), **arrays)
    part.replace(path)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    make_start(sys.argv[1] if len(sys.argv) > 1 else f"data/sample/{START_NAME}", _say)
