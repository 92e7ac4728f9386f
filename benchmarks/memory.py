"""Memory: the peak of a replay over a session and over one ten times larger, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Figure

SMALL = 500_000
TIMES = 10
MEAN_GAP_NS = 40_000_000
_WRITER = """
import pathlib, sys
from benchmarks import market
market.write(pathlib.Path(sys.argv[1]), market.stream(int(sys.argv[2]), mean_gap_ns=int(sys.argv[3])))
"""  # in a process of its own: a child's peak begins with the memory of the parent that forked it
_CHILD = """
import json, resource, sys
from replay.runner import run
result = run([sys.argv[1]])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"peak_kib": peak if sys.platform != "darwin" else peak // 1024, "decisions": len(result.decisions)}))
"""


def peak_mib(folder: Path) -> tuple[float, int]:
    """Replay a session folder in a new process; return its peak memory (MiB) and the number of decisions."""
    done = subprocess.run([sys.executable, "-c", _CHILD, str(folder)], check=True, capture_output=True, text=True)
    told = json.loads(done.stdout.splitlines()[-1])
    return told["peak_kib"] / 1024, told["decisions"]


def main() -> list[Figure]:
    """Write both sessions, which span the same hours, and replay them."""
    peaks, decisions = [], []
    with tempfile.TemporaryDirectory() as folder:
        for times in (1, TIMES):
            session = Path(folder) / f"x{times}"
            subprocess.run([sys.executable, "-c", _WRITER, session, str(SMALL * times), str(MEAN_GAP_NS // times)], check=True)
            peak_mib(session)  # the first replay of a machine also compiles
            peak, count = peak_mib(session)
            peaks.append(peak)
            decisions.append(count)
    assert decisions[0] > 0
    assert decisions[0] == decisions[1], decisions
    return [
        Figure.at_most("peak memory, ten times larger / one", peaks[1] / peaks[0], "x", 1.1),
        Figure.at_most("peak memory, ten times larger", peaks[1], "MiB", 1024),
        Figure("peak memory, one", peaks[0], "MiB"),
    ]
