"""The configuration: every key known, every value possible, every message enough to mend it."""

import itertools
import pickle
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.config import Config
from replay.errors import ConfigError


def load(folder: Path, text: str) -> Config:
    path = folder / "my.toml"
    path.write_text(text, encoding="utf-8")
    return Config.load(path)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    return str(caught.value).removeprefix(f"{folder}/")


def test_file_keeps_defaults_of_what_it_leaves_out(tmp_path: Path) -> None:
    """A file states what differs; every other key keeps its default."""
    config = load(tmp_path, "[run]\nseed = 7\n")

    assert (7, Config().run.hours) == (config.run.seed, config.run.hours)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[run]\nequity_usdd = 5", "my.toml:2: unknown key 'equity_usdd' in [run]; did you mean 'equity_usd'?"),
        ("[venu]\nqueue = 'log'", "my.toml:1: unknown section [venu]; did you mean 'venue'?"),
        ("[run]\n\n\nequity_usd = -5", "my.toml:4: equity_usd in [run] must be positive, got -5"),
        ("[venue]\nno_venue_share = 1.5", "my.toml:2: no_venue_share in [venue] must be at most 1.0, got 1.5"),
        ("[run]\nseed = 1.5", "my.toml:2: seed in [run] must be a whole number, got 1.5"),
        ("[run]\nseed = true", "my.toml:2: seed in [run] must be a whole number, got true"),
        ("[run]\nequity_usd = nan", "my.toml:2: equity_usd in [run] must be a finite number, got nan"),
        ("[run]\nequity_usd = '1'", 'my.toml:2: equity_usd in [run] must be a number, got "1"'),
        ("[run]\nhours = 'rht'", "my.toml:2: hours in [run] must be one of 'rth' or 'all', got \"rht\""),
        ("[run]\nsymbols = 'AAA'", 'my.toml:2: symbols in [run] must be a list, got "AAA"'),
        ("[run]\nsymbols = [1]", "my.toml:2: each item of symbols in [run] must be a text in quotes, got 1"),
        ("run = 3", "my.toml:1: `run` is a section: write [run] and its keys below it"),
        ("run.seed = -1", "my.toml:1: seed in [run] must be at least 0, got -1"),
    ],
)
def test_refusals_are_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    """A refusal names file, line, key, what was expected and what came."""
    assert sentence == refusal(tmp_path, text)


def test_unknown_key_without_a_near_one_lists_the_known(tmp_path: Path) -> None:
    """Where no known key is near, the sentence lists them all."""
    assert "known are band, rule, queue, power" in refusal(tmp_path, "[venue]\nxyz = 1")


def test_broken_toml_is_refused(tmp_path: Path) -> None:
    """A file that is not TOML is refused with the line where reading ended."""
    assert "not valid TOML" in refusal(tmp_path, "[run\n")


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """A configuration that is not there is a wrong configuration, not a fault."""
    with pytest.raises(ConfigError, match=r"cannot read the configuration .*: No such file"):
        Config.load(tmp_path / "none.toml")


def test_binary_file_is_refused(tmp_path: Path) -> None:
    """A file that is no text is refused."""
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ConfigError, match="not UTF-8"):
        Config.load(tmp_path / "x.toml")


@pytest.mark.parametrize("text", ["run.seed", "seed=3", ".seed=3", "run.=3", "=3", ""])
def test_sets_need_section_key_and_value(text: str) -> None:
    """`--set` takes section.key=value and nothing else."""
    with pytest.raises(ConfigError, match=r"--set takes `section\.key=value`"):
        Config().with_sets([text])


def test_sets_take_bare_words_and_toml() -> None:
    """A value is TOML, and a word needs no quotes."""
    config = Config().with_sets(["run.hours=all", "run.symbols=['A', 'B']", "run.equity_usd=5_000"])

    assert ("all", ("A", "B"), 5000.0) == (config.run.hours, config.run.symbols, config.run.equity_usd)


def test_later_set_wins() -> None:
    """Sets hold in the order in which they stand."""
    assert 2 == Config().with_sets(["run.seed=1", "run.seed=2"]).run.seed


def test_toml_reads_back_as_itself(tmp_path: Path) -> None:
    """What `replay config` prints is a configuration file with the same digest."""
    config = Config().with_sets(["run.symbols=['A']", "venue.queue=log"])

    assert config == load(tmp_path, config.to_toml())
    assert config.digest == load(tmp_path, config.to_toml(with_comments=False)).digest


def test_every_key_is_explained() -> None:
    """Each key of the printed configuration stands below a line that says what it means."""
    lines = Config().to_toml().splitlines()
    mute = [line for before, line in itertools.pairwise(lines) if line[:1] not in "#[" and not before.startswith("# ")]

    assert [] == mute


def test_values_are_what_the_file_would_say() -> None:
    """The nested values, the TOML text and the sections agree."""
    config = Config()

    assert config.values() == tomllib.loads(config.to_toml())
    assert config == Config.from_values(config.values())


def test_digest_depends_on_what_can_change_a_result() -> None:
    """Block and table sizes leave the digest alone; everything else changes it."""
    digest = Config().digest

    assert digest == Config().with_sets(["run.block_events=1", "run.order_slots=8"]).digest
    assert digest != Config().with_sets(["run.seed=1"]).digest


def test_equal_values_have_one_digest() -> None:
    """A whole number given for a decimal one is the same value."""
    assert Config().with_sets(["run.equity_usd=5"]).digest == Config().with_sets(["run.equity_usd=5.0"]).digest


def test_sections_are_attributes() -> None:
    """A section is an attribute; one that does not exist says so."""
    with pytest.raises(AttributeError, match="no section `rum`"):
        _ = Config().rum


def test_configuration_can_travel_to_another_process() -> None:
    """A configuration survives pickling, and equal ones are one key of a dictionary."""
    config = Config().with_sets(["run.seed=3"])
    twin = pickle.loads(pickle.dumps(config))

    assert config == twin
    assert 1 == len({config: 1, twin: 2})


def test_strategy_settings_come_from_the_sections() -> None:
    """What the file says of a component is what the pipeline is built from."""
    config = Config().with_sets(["gate.threshold_bps=3.5"])

    assert 3.5 == config.strategy.gate.threshold_bps


@given(st.integers(min_value=0, max_value=2**63 - 1), st.floats(min_value=1e-6, max_value=1e12))
def test_numbers_survive_the_text(seed: int, equity_usd: float) -> None:
    """Every number that the configuration accepts comes back from its text with the same bits."""
    config = Config().with_values({"run": {"seed": seed, "equity_usd": equity_usd}})

    assert config.values() == tomllib.loads(config.to_toml(with_comments=False))


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[2] / "examples").glob("*.toml")), ids=lambda path: path.stem)
def test_examples_are_valid_and_differ_from_the_defaults(path: Path) -> None:
    """Every example is a configuration of today's keys, and says something."""
    assert Config().digest != Config.load(path).digest
