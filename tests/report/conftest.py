import json
from pathlib import Path

import pytest

from replay.summary import RunFacts, summarize
from tests.report.worlds import CONTEXT, Maker, write_run


@pytest.fixture(scope="session")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a complete run folder by hand, but for its report."""
    folder = write_run(tmp_path_factory.mktemp("runs") / "made")
    facts = RunFacts(run_id="made", events=1_000_000, wall_s=0.5, latency_ns={"feed": 20_000_000}, assumptions={"queue": "front"})
    (folder / "summary.json").write_text(json.dumps(summarize(Maker().day(), CONTEXT, facts), allow_nan=False))
    checks = [{"name": "coverage", "status": "PASS", "value": 0.81, "target": "0.75 to 0.85", "n_eff": 312, "recommendation": ""}]
    (folder / "verification.json").write_text(json.dumps({"checks": checks}))
    return folder
