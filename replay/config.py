"""The configuration of a run: sections of settings, read from TOML, checked key by key, written back with their meaning.

A section is a frozen dataclass that its owner declares with `replay.settings.setting`: what a component can be told stands beside
the component, and this file only gathers, checks and prints. The sections `[run]`, `[latency]`, `[venue]` and `[fees]` belong to
the replay; all others to the strategy's components.

>>> config = Config().with_sets(["run.equity_usd=250_000"])
>>> config.run.equity_usd
250000.0
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_type_hints

from replay.errors import ConfigError
from replay.sections import WITHOUT_EFFECT

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

# Where the sections live. They are imported when a configuration is made, so that `replay --help` loads no kernel.
_REPLAY_SECTIONS = {
    "run": "replay.sections:RunSettings",
    "latency": "fills.latency:LatencySettings",
    "venue": "replay.sections:VenueSettings",
    "fees": "fills.fee_table:FeeSettings",
    "simple_forecast": "strategy.simple_forecast:SimpleForecastSettings",
}
_STRATEGY = "strategy.pipeline:StrategySettings"


def _defaults() -> dict[str, Any]:
    """Make every section with its defaults, the replay's own first."""
    own = {name: _load(place)() for name, place in _REPLAY_SECTIONS.items()}
    return own | dict(_items(_load(_STRATEGY)()))


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of a run; every key has a default, a unit and a meaning (`replay config` prints them).

    Parameters
    ----------
    sections : mapping, optional
        Section name to settings object; left out, every section has its defaults. Most callers use `Config()`,
        `Config.load` or `Config.from_values`.

    Examples
    --------
    >>> Config().run.hours
    'rth'
    >>> Config().with_sets(["run.hours=all"]).values()["run"]["hours"]
    'all'
    """

    sections: Mapping[str, Any] = dataclasses.field(default_factory=_defaults)

    @classmethod
    def load(cls, path: str | Path) -> Config:
        """Read a TOML file; keys that it leaves out keep their defaults.

        Raises
        ------
        ConfigError
            The file is missing or not TOML, a key is unknown, or a value is impossible; the message names file and line.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"cannot read the configuration `{path}`: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"the configuration `{path}` is not UTF-8 text (byte {error.start})") from error
        return cls()._replaced(_parse(text, str(path)), _Place(str(path), text))

    @classmethod
    def from_values(cls, values: Mapping[str, Mapping[str, Any]], source: str = "") -> Config:
        """Build a configuration from nested plain values, such as `values()` or a run's manifest gives."""
        return cls().with_values(values, source)

    def with_sets(self, sets: Iterable[str]) -> Config:
        """Return a copy in which each `section.key=value` holds; the value is TOML, or a bare word.

        >>> Config().with_sets(["run.symbols=['AAPL', 'MSFT']"]).run.symbols
        ('AAPL', 'MSFT')
        """
        config = self
        for text in sets:
            section, key, value = _parse_set(text)
            config = config._replaced({section: {key: value}}, _Place("--set"))
        return config

    def with_values(self, values: Mapping[str, Mapping[str, Any]], source: str = "") -> Config:
        """Return a copy in which the given values hold, section by section; `source` names their origin in messages.

        >>> Config().with_values({"run": {"seed": 7}}).run.seed
        7
        """
        return self._replaced(values, _Place(source))

    @property
    def strategy(self) -> Any:
        """The settings of all components of the pipeline, as `strategy.pipeline.StrategySettings`."""
        kind = _load(_STRATEGY)
        return kind(**{field.name: self.sections[field.name] for field in dataclasses.fields(kind)})

    @property
    def digest(self) -> str:
        """Sha256 of all values that can change a result, defaults included."""
        values = {
            name: {key: value for key, value in section.items() if (name, key) not in WITHOUT_EFFECT}
            for name, section in self.values().items()
        }
        return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def values(self) -> dict[str, dict[str, Any]]:
        """Return all settings as plain nested values (tuples as lists), ready for JSON or TOML."""
        return {name: {key: _plain(value) for key, value in _items(section)} for name, section in self.sections.items()}

    def to_toml(self, with_comments: bool = True) -> str:
        """Write the configuration as TOML; with comments, every key has its meaning, unit and bounds above it.

        >>> print(Config().to_toml(with_comments=False).splitlines()[0])
        [run]
        """
        return "\n".join(_section_toml(name, section, with_comments) for name, section in self.sections.items())

    def __getattr__(self, name: str) -> Any:
        if name == "sections" or name not in self.sections:
            raise AttributeError(f"a configuration has no section `{name}`")
        return self.sections[name]

    def __hash__(self) -> int:
        return hash(self.digest)

    def _replaced(self, values: Mapping[str, Any], place: _Place) -> Config:
        sections = dict(self.sections)
        for name, given in values.items():
            if name not in sections:
                raise ConfigError(f"{place.of(name)}unknown section [{name}]{_suggest(name, sections)}")
            if not isinstance(given, Mapping):
                raise ConfigError(f"{place.of(name)}`{name}` is a section: write [{name}] and its keys below it")
            sections[name] = _merge(name, sections[name], given, place)
        return Config(sections)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where values came from, for messages: a file with its text, or an option."""

    source: str = ""
    text: str = ""

    def of(self, section: str, key: str = "") -> str:
        """Return `file:line: `, as near to the key as the text allows."""
        if not self.text:
            return f"{self.source}: " if self.source else ""
        line = self._line(section, key)
        return f"{self.source}:{line}: " if line else f"{self.source}: "

    def _line(self, section: str, key: str) -> int:
        inside, found = False, 0
        for number, line in enumerate(self.text.splitlines(), 1):
            if header := re.match(r"\s*\[\s*([^\]]+?)\s*\]", line):
                inside = header[1].strip("\"'") == section
                found = found or (number if inside else 0)
            elif inside and key and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
                return number
            elif not inside and re.match(rf"\s*{re.escape(section)}\s*[.=]", line):
                found = found or number
        return found


def _load(place: str) -> Any:
    module, name = place.split(":")
    return getattr(import_module(module), name)


def _parse(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not valid TOML: {str(error)[:1].lower()}{str(error)[1:]}") from error


def _parse_set(text: str) -> tuple[str, str, Any]:
    name, equals, value = text.partition("=")
    section, dot, key = name.strip().partition(".")
    if not (equals and dot and section and key):
        raise ConfigError(f"--set takes `section.key=value`, got `{text}`")
    try:
        return section, key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return section, key, value.strip()


def _merge(name: str, settings: Any, given: Mapping[str, Any], place: _Place) -> Any:
    """Return the settings with the given keys replaced, checked against type, bounds and choices."""
    from pydantic import ValidationError

    known = dict(_items(settings))
    values = known | {key: _tupled(value) for key, value in given.items()}
    kind: Any = type(settings)
    try:
        checked = _model(kind).model_validate(values)
    except ValidationError as error:
        detail = error.errors()[0]
        where = place.of(name, str(detail["loc"][0]))
        raise ConfigError(where + _sentence(name, settings, detail)) from error
    return dataclasses.replace(settings, **{key: getattr(checked, key) for key in known})


@cache
def _model(kind: Any) -> Any:
    """Build the pydantic model that checks one settings dataclass."""
    from pydantic import ConfigDict, Field, create_model

    hints = get_type_hints(kind)
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        bounds = {key: field.metadata[key] for key in ("gt", "ge", "lt", "le") if field.metadata.get(key) is not None}
        fields[field.name] = (_checked_type(hints[field.name], field.metadata.get("choices"), Field(**bounds)), ...)
    options = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
    return create_model(kind.__name__, __config__=options, **fields)


def _checked_type(hint: Any, choices: tuple[str, ...] | None, bounds: Any) -> Any:
    from typing import Annotated, get_args, get_origin

    if choices is not None:
        return Literal[choices]
    if get_origin(hint) is tuple:
        items = tuple(item if item is ... else Annotated[item, bounds] for item in get_args(hint))
        return tuple[items]  # type: ignore[valid-type]
    return Annotated[hint, bounds]


_WORDS = {
    "greater_than": "above",
    "greater_than_equal": "at least",
    "less_than": "below",
    "less_than_equal": "at most",
}
_TYPES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a text in quotes",
    "tuple_type": "a list",
    "finite_number": "a finite number",
}


def _sentence(section: str, settings: Any, detail: ErrorDetails) -> str:
    """Say in one sentence what pydantic found."""
    key, kind, got = str(detail["loc"][0]), detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return f"unknown key '{key}' in [{section}]{_suggest(key, dict(_items(settings)))}"
    expected = _expectation(kind, detail)
    subject = f"each item of {key}" if len(detail["loc"]) > 1 else key
    return f"{subject} in [{section}] must be {expected}, got {_shown(got)}"


def _expectation(kind: str, detail: ErrorDetails) -> str:
    if kind in _WORDS:
        bound = next(iter(detail["ctx"].values()))
        return "positive" if kind == "greater_than" and bound == 0 else f"{_WORDS[kind]} {_shown(bound)}"
    if kind == "literal_error":
        return f"one of {detail['ctx']['expected']}"
    return _TYPES.get(kind, detail["msg"][:1].lower() + detail["msg"][1:])


def _suggest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else f"; known are {', '.join(known)}"


def _items(settings: Any) -> list[tuple[str, Any]]:
    return [(field.name, getattr(settings, field.name)) for field in dataclasses.fields(settings)]


def _section_toml(name: str, settings: Any, with_comments: bool) -> str:
    lines = [f"# {(type(settings).__doc__ or name).strip().splitlines()[0]}"] if with_comments else []
    lines.append(f"[{name}]")
    for field in dataclasses.fields(settings):
        if with_comments:
            lines.append(f"# {_comment(field)}")
        lines.append(f"{field.name} = {_shown(getattr(settings, field.name))}")
    return "\n".join(lines) + "\n"


def _comment(field: dataclasses.Field[Any]) -> str:
    """Put meaning, unit, bounds and choices of a key on one line."""
    meta = field.metadata
    facts = [str(meta["unit"])] if meta.get("unit") else []
    facts += [f"{sign} {_shown(meta[key])}" for key, sign in _SIGNS.items() if meta.get(key) is not None]
    facts += [" | ".join(meta["choices"])] if meta.get("choices") else []
    return str(meta.get("meaning", "")) + (f" ({', '.join(facts)})" if facts else "")


_SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


def _shown(value: Any) -> str:
    """Write a value as TOML."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(_shown(item) for item in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return f"{value:_}" if isinstance(value, int) else repr(value)


def _tupled(value: Any) -> Any:
    return tuple(_tupled(item) for item in value) if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
