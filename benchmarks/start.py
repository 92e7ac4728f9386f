"""Start-up of the command line: help, a warm run of the sample, and a cold one with nothing compiled. Wall and CPU."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import CannotRunError, Figure

SAMPLE = Path(__file__).parents[1] / "data" / "sample"


def replay_command(arguments: list[str], cache: str | None = None) -> tuple[float, float]:
    """Run `replay ARGUMENTS` in a new process; return wall and CPU seconds."""
    environment = os.environ | ({"NUMBA_CACHE_DIR": cache} if cache else {})
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "replay", *arguments], check=True, capture_output=True, env=environment)
    wall_s, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run_sample(folder: Path, cache: str) -> tuple[float, float, str]:
    """Replay the sample; return wall and CPU seconds and the digest of what came out."""
    forecasts = ["--forecasts", str(SAMPLE / "forecasts.parquet")]
    wall_s, cpu_s = replay_command(["run", str(SAMPLE), *forecasts, "--out", str(folder), "--no-progress"], cache)
    return wall_s, cpu_s, json.loads((folder / "manifest.json").read_text())["journal_digest"]


def main() -> list[Figure]:
    """Measure; the least of a few, but one cold start only."""
    if not SAMPLE.is_dir():
        raise CannotRunError(f"needs the sample session in {SAMPLE}")
    helps = [replay_command(["--help"]) for _ in range(4)]
    with tempfile.TemporaryDirectory() as scratch:
        runs = [run_sample(Path(scratch) / f"run{k}", str(Path(scratch) / "kernels")) for k in range(5)]
    digests = {digest for _, _, digest in runs}
    assert len(digests) == 1, f"the sample gave {len(digests)} different journals: {digests}"
    cold, *warm = runs
    return [
        Figure.at_most("replay --help, wall", min(wall for wall, _ in helps), "s", 0.5),
        Figure("replay --help, CPU", min(cpu for _, cpu in helps), "s"),
        Figure.at_most("replay run, warm, wall", min(wall for wall, _, _ in warm), "s", 2),
        Figure("replay run, warm, CPU", min(cpu for _, cpu, _ in warm), "s"),
        Figure.at_most("replay run, cold, wall", cold[0], "s", 30),
        Figure("replay run, cold, CPU", cold[1], "s"),
    ]
