"""What a reader of a run should know before its numbers: settings or inputs that are allowed, and rarely meant.

A file of forecasts may cover some days only; a rollout by symbol draws each by its name, and may take in none of a few.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from strategy.decision import Component
from strategy.modes import ENHANCED, MODES
from strategy.rollout import BY_CYCLE, WAYS, Rollout

if TYPE_CHECKING:
    from replay.inputs import Inputs


def cautions_of(inputs: Inputs) -> list[str]:
    """Return a sentence for each."""
    return [*_days_without_forecasts(inputs), *_empty_rollouts(inputs)]


def _days_without_forecasts(inputs: Inputs) -> list[str]:
    if inputs.forecasts_path is None:
        return []
    days = [session.day.isoformat() for session in inputs.sessions if not len(inputs.forecasts_of(session).rows)]
    where = f"{inputs.forecasts_path.name} has no forecast that was ready on {', '.join(days)}"
    return [f"{where}: no position was opened there; give a file of all days"] if days else []


def _empty_rollouts(inputs: Inputs) -> list[str]:
    """Name the components that act in their enhanced form for no symbol, although a share of them was asked for."""
    settings, symbols = inputs.config.strategy, list(inputs.symbol_index)
    if settings.pipeline.rollout_by == WAYS[BY_CYCLE]:
        return []
    rollout, told = Rollout(inputs.config.run.seed), []
    for name in (component.name.lower() for component in Component):
        section = getattr(settings, name)
        share = getattr(section, "rollout", 0.0)
        if share <= 0.0 or section.mode != MODES[ENHANCED]:
            continue
        if not any(rollout.is_chosen(name, symbol, share) for symbol in symbols):
            told.append(
                f"{name}.rollout = {share:g} takes in none of {len(symbols)} symbols, each drawn by its own name: raise it, give "
                'another run.seed, or set pipeline.rollout_by = "cycle"'
            )
    return told
