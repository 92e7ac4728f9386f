"""The forms of a component: which rule of its file acts.

Kernels see the index of the word; a component's first setting is always its mode.
"""

from typing import Any

from replay.settings import setting

ORIGINAL = 0  # the simple rule
OFF = 1  # lets everything pass
ENHANCED = 2  # the improvement over the simple rule
MODES = ("original", "off", "enhanced")


def rollout_setting() -> Any:
    """Declare the setting `rollout` of a component that has an enhanced form."""
    return setting(1.0, "enhanced: share of symbols, or of cycles (see pipeline.rollout_by), in which this form acts", ge=0, le=1)


def mode_setting(*, has_enhanced: bool = False) -> Any:
    """Declare the setting `mode` of a component; a component without an enhanced form refuses that word."""
    if has_enhanced:
        return setting(
            "original", "original: the simple rule; enhanced: the improved rule; off: lets everything pass", choices=MODES
        )
    return setting("original", "original: the simple rule; off: lets everything pass", choices=MODES[:ENHANCED])
