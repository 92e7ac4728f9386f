"""init, config and doctor."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from replay import doctor
from replay.config import Config
from replay.doctor import Finding
from replay.jit.store import CalleeStore, Store
from replay.project import enhanced_toml

ROOT = Path(__file__).parents[2]


def test_init_makes_a_project(replay: Callable, tmp_path: Path) -> None:
    """`replay init` writes settings, those of all enhanced forms, a forecaster, a strategy and a README."""
    told = replay("init", tmp_path / "mine", "--json")

    names = [Path(file).name for file in told.json["files"]]
    assert (0, ["README.md", "enhanced.toml", "my_forecaster.py", "my_strategy.py", "replay.toml"]) == (told.exit_code, names)


def test_settings_of_a_project_are_the_defaults(replay: Callable, tmp_path: Path) -> None:
    """The settings file of a new project changes nothing: it is there to be edited."""
    replay("init", tmp_path / "mine")

    assert Config() == Config.load(tmp_path / "mine" / "replay.toml")


def test_one_file_switches_every_enhanced_form_on() -> None:
    """`examples/enhanced.toml` is what `replay init` writes; only components without an enhanced form stay as they are."""
    config = Config.load(ROOT / "examples" / "enhanced.toml")
    left = [name for name, section in config.sections.items() if getattr(section, "mode", "") == "original"]

    assert enhanced_toml() == (ROOT / "examples" / "enhanced.toml").read_text(encoding="utf-8")
    assert ["simple_forecast", "forecasts", "features", "sizing", "exits"] == left


def test_init_touches_no_folder_with_content(replay: Callable, tmp_path: Path) -> None:
    """`replay init` refuses a folder that holds something and leaves it as it is."""
    (tmp_path / "own.txt").write_text("mine")

    told = replay("init", tmp_path)

    assert (2, ["own.txt"]) == (told.exit_code, [file.name for file in tmp_path.iterdir()])
    assert "is not empty" in told.err


def test_config_prints_toml(replay: Callable) -> None:
    """What `replay config` prints is TOML, with a comment for every key."""
    told = replay("config")

    assert Config().values() == tomllib.loads(told.out)
    assert "# equity that targets are a share of (USD, > 0.0)\nequity_usd = 1000000.0" in told.out


def test_config_shows_what_is_in_force(replay: Callable, tmp_path: Path) -> None:
    """File and `--set` are laid over the defaults; `--defaults` shows those alone."""
    (tmp_path / "my.toml").write_text("[run]\nseed = 5\n")
    options = ["--config", tmp_path / "my.toml", "--set", "run.hours=all", "--json"]

    run = replay("config", *options).json["config"]["run"]
    plain = replay("config", *options, "--defaults").json["config"]["run"]

    assert (5, "all", 0, "rth") == (run["seed"], run["hours"], plain["seed"], plain["hours"])


@pytest.mark.parametrize("text", ["run.sed=1", "run.seed=-1", "nonsense"])
def test_config_refuses_in_one_sentence(replay: Callable, text: str) -> None:
    """A wrong setting is a wrong configuration: one line on stderr, exit code 2."""
    told = replay("config", "--set", text)

    assert (2, "", 1) == (told.exit_code, told.out, len(told.err.splitlines()))


def test_doctor_finds_this_machine_well(replay: Callable) -> None:
    """Where the tests run, nothing is broken, and every core package is listed."""
    told = replay("doctor", "--json")

    names = {finding["name"] for finding in told.json["findings"]}
    assert (0, True, set()) == (told.exit_code, told.json["is_healthy"], set(doctor.CORE) - names)


def test_doctor_exits_with_1_when_something_is_broken(replay: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken thing is shown with how to mend it, and the exit code says so."""
    broken = Finding(name="numpy", state="broken", value="not installed", remedy="pip install numpy")
    monkeypatch.setattr(doctor, "_LOOKS", (lambda: iter([broken]),))

    told = replay("doctor")

    assert 1 == told.exit_code
    assert "to mend it: pip install numpy" in told.out


def test_doctor_notices_an_unwritable_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel cache that cannot be written is broken: every start would compile anew."""
    monkeypatch.setattr("replay.jit.cache_folder", lambda: tmp_path)
    monkeypatch.setattr(doctor, "_is_writable", lambda _folder: False)

    (finding,) = doctor._kernel_cache()

    assert ("broken", True) == (finding.state, "NUMBA_CACHE_DIR" in finding.remedy)


def test_doctor_counts_the_compiled_kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache is worth a note, a filled one is counted."""
    monkeypatch.setattr("replay.jit.cache_folder", lambda: tmp_path)
    (empty,) = doctor._kernel_cache()
    for kind in (Store, CalleeStore):
        (tmp_path / f"x-1.2.{kind.suffix}").write_bytes(b"1")
    (filled,) = doctor._kernel_cache()

    assert ("note", "ok") == (empty.state, filled.state)
    assert "2 compiled kernels" in filled.value


def test_doctor_misses_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """An extra that is not installed is a note with its pip line, never broken."""
    monkeypatch.setattr(doctor, "EXTRAS", {"report": ("no_such_module", "no-such", "charts")})

    extra = list(doctor._packages())[-1]

    assert ("note", 'pip install ".[report]" in the checkout, for charts') == (extra.state, extra.remedy)


def test_doctor_notices_a_second_owner_of_our_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another distribution with a package `replay` would share our folder."""
    monkeypatch.setattr("importlib.metadata.packages_distributions", lambda: {"replay": ["ibkr-replay", "replay-rec"]})

    (finding,) = doctor._packages_of_the_same_name()

    assert ("broken", "`replay` also belongs to replay-rec") == (finding.state, finding.value)


def test_doctor_notices_a_missing_openmp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without libgomp LightGBM cannot be imported; the remedy names the package."""
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("ctypes.util.find_library", lambda _name: None)

    (finding,) = doctor._openmp()

    assert ("note", True) == (finding.state, "apt-get install libgomp1" in finding.remedy)
