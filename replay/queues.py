"""The queue model of a run, as `[venue] queue` names it: a word, the file of a fitted model, or a user's three functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fills.chosen import ChosenQueue, choose_queue
from fills.own_queue import OwnQueue
from fills.queue import QueueModel
from replay.errors import UsageError
from replay.strategies import load_named, source_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEY = "[venue] queue"


def queue_named(text: str) -> ChosenQueue:
    """Return the queue model that a configuration names.

    Parameters
    ----------
    text : str
        A word such as `behind_first`, `model.toml`, or `module:name` or `file.py:name` of what `fills.bind_queue_model` returned.

    Raises
    ------
    UsageError
        There is no such model, file, module or name.
    """
    if ":" not in text or text.endswith(".toml"):
        return choose_queue(text)
    found = load_named(text, _KEY)
    if not isinstance(found, OwnQueue):
        raise UsageError(f"{_KEY}: `{text}` is {type(found).__name__}, expected what fills.bind_queue_model returns")
    return choose_queue(found)


def plain_queue(text: str) -> str:
    """Return a queue model's name as it is written everywhere: `FITTED` is `fitted`; files and own models stay as they are.

    >>> plain_queue("FITTED"), plain_queue("My.toml"), plain_queue("Models:BEHIND")
    ('fitted', 'My.toml', 'Models:BEHIND')
    """
    return QueueModel(text).value if text.upper() in QueueModel.__members__ else text


def queue_facts(text: str) -> Mapping[str, str]:
    """Return what the manifest of a run says of its queue model beyond the word: digests of parameters or of source."""
    chosen = queue_named(text)
    if isinstance(chosen.model, OwnQueue):
        return {chosen.model.value: source_digest(chosen.model.on_level_change)}
    return chosen.facts
