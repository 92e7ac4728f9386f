"""The forms of a component: which rule of its file acts.

Kernels see the index of the word; a component's first setting is always its mode.
"""

from typing import Any

from replay.settings import setting

MODES = ("original", "off")
ORIGINAL = 0  # the simple rule
OFF = 1  # lets everything pass


def mode_setting() -> Any:
    """Declare the setting `mode` of a component."""
    return setting("original", "original: the simple rule; off: lets everything pass", choices=MODES)
