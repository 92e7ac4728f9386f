"""The README keeps its word: every block of Python in it runs as it stands."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    """From the first block to the last, in one session, with the sample and a configuration at hand as the text says."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "data").symlink_to(ROOT / "data")
    (tmp_path / "my.toml").write_text("[gate]\nthreshold_bps = 2.5\n")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)

    assert (tmp_path / "runs" / "mine" / "report.html").exists()
    assert [("AAPL", "COST_UNKNOWN")] == [(one.symbol, one.reason.name) for one in names["pipeline"].verdicts]
    assert 1 == names["side"]
