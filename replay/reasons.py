"""What each reason means, in a trader's words: a phrase for tables, a sentence for `replay explain`, and what would change it.

The templates are filled with the numbers of the decision (`replay.explain` makes them); a number that is unknown is a dash.
"""

from typing import NamedTuple

from strategy.decision import Fallback, Reason

TAKEN = frozenset(
    {
        Reason.TARGET_SET,
        Reason.EXIT_HORIZON,
        Reason.EXIT_STOP,
        Reason.EXIT_OPPOSITE,
        Reason.EXIT_FLAT_BEFORE_CLOSE,
        Reason.EXIT_SCALE_OUT,
    }
)
GATE_SHUT = frozenset({Reason.GATE_COST, Reason.GATE_NOT_READY, Reason.GATE_MISSING})


class Meaning(NamedTuple):
    """How one reason reads."""

    phrase: str
    sentence: str
    change: str


MEANINGS: dict[Reason, Meaning] = {
    Reason.TARGET_SET: Meaning(
        "new target",
        "Taken: the {horizon} forecast of {mu} cleared its cost of {cost}, so the target went from {held} to {target} shares.",
        "Had the forecast been below {needed} in size (it was {mu}), nothing would have been done.",
    ),
    Reason.TARGET_KEPT: Meaning(
        "target kept",
        "Kept: the target of {target} shares was already held or being worked.",
        "Only another target would have led to an order; {held} shares were held.",
    ),
    Reason.EXIT_HORIZON: Meaning(
        "exit: horizon over",
        "Closed: the horizon of the position was over, so the target went from {held} to {target} shares.",
        "A longer horizon would have kept the position open.",
    ),
    Reason.EXIT_STOP: Meaning(
        "exit: stop",
        "Closed: the price went through the position's stop, so the target went from {held} to {target} shares.",
        "A wider stop would have kept the position open.",
    ),
    Reason.EXIT_OPPOSITE: Meaning(
        "exit: opposite signal",
        "Closed: the gate opened for the other side (forecast {mu}), so the target went from {held} to {target} shares.",
        "Without a forecast against the position it would have been kept.",
    ),
    Reason.EXIT_FLAT_BEFORE_CLOSE: Meaning(
        "exit: flat before close",
        "Closed: the rule to be flat before the close took the position from {held} to {target} shares.",
        "A later flat-before-close time would have kept it longer.",
    ),
    Reason.EXIT_SCALE_OUT: Meaning(
        "exit: part, likely turn",
        "Reduced: the price was likely at its turning point, so the target went from {held} to {target} shares.",
        "A lower chance of a turn against the position would have kept all of it.",
    ),
    Reason.NO_FORECAST: Meaning(
        "no forecast", "Refused: no forecast of any horizon was in force.", "A forecast that was ready by then."
    ),
    Reason.FORECAST_NAN: Meaning(
        "forecast not a number", "Refused: the forecast was NaN or infinite.", "A forecast with finite mu and sigma."
    ),
    Reason.FORECAST_CROSSED: Meaning(
        "crossed quantiles",
        "Refused: the lower quantile of the forecast lay above the upper one.",
        "A forecast whose quantiles are in order, or one without any.",
    ),
    Reason.FORECAST_OLD: Meaning(
        "forecast too old",
        "Refused: the newest forecast was {forecast_age} old, beyond its life.",
        "A newer forecast, or a longer life for forecasts.",
    ),
    Reason.UNKNOWN_HORIZON: Meaning(
        "unknown horizon",
        "Refused: the forecast is for a horizon that the configuration does not list.",
        "Adding its horizon to the list of horizons.",
    ),
    Reason.MODEL_UNHEALTHY: Meaning(
        "model unhealthy",
        "Refused: too many of the latest forecasts could not be used, so the model was not followed.",
        "Sound forecasts in a row, or a higher `staleness.failure_share_max`.",
    ),
    Reason.NO_QUOTE: Meaning("no two-sided quote", "Refused: bid or ask was missing.", "A quote with both sides."),
    Reason.QUOTE_CROSSED: Meaning("crossed quote", "Refused: the bid stood above the ask.", "A quote that is not crossed."),
    Reason.STALE_QUOTE: Meaning(
        "stale quote",
        "Refused: the quote was {quote_age} old and its stream was silent beyond the limit.",
        "Any data of this symbol within the limit, or a longer limit.",
    ),
    Reason.STALE_BAR: Meaning(
        "stale bar", "Refused: the last bar was beyond its limit.", "A newer bar, or a longer limit for bars."
    ),
    Reason.STALE_FEATURES: Meaning(
        "features not ready", "Refused: the features were not complete or too old.", "More minutes of data before the decision."
    ),
    Reason.HALTED: Meaning(
        "halted or disconnected", "Refused: trading was halted or the feed was down.", "The resumption of trading."
    ),
    Reason.OUTSIDE_HOURS: Meaning(
        "outside trading hours",
        "Refused: decisions were not allowed at this time of day.",
        "Wider trading hours in the configuration.",
    ),
    Reason.COST_UNKNOWN: Meaning(
        "cost unknown",
        "Refused: spread or volatility were not known, so no cost is. In the first minutes of a symbol that is usual.",
        "A finite spread and volatility.",
    ),
    Reason.GATE_NOT_READY: Meaning(
        "gate in warm-up",
        "Refused: the gate has seen too few outcomes to know its interval.",
        "More outcomes, or a start state from an earlier run (`--state-in`).",
    ),
    Reason.GATE_MISSING: Meaning(
        "outcomes missing",
        "Refused: too many outcomes of past forecasts never came, so the gate's bounds cannot be trusted.",
        "Fewer gaps and halts in the recording, or a higher `gate.missing_share_max`.",
    ),
    Reason.GATE_COST: Meaning(
        "gate shut: edge too small",
        "Refused: no horizon passed the gate. The nearest forecast, {horizon}, was {mu} (interval {interval}), its cost {cost}.",
        "To pass the gate the forecast would have had to be above {needed} in size; it was {mu}. To be traded it would have had "
        "to earn its cost as well.",
    ),
    Reason.ARBITER_RESERVE: Meaning(
        "edge below cost + reserve",
        "Refused: the chosen horizon did not earn its cost and reserve: {horizon} forecast {mu}, cost {cost}, net edge {net}.",
        "The forecast would have had to be above {needed} in size; it was {mu}.",
    ),
    Reason.BARRIER_PEAK: Meaning(
        "likely peak",
        "Refused: the chance that this is a peak, {p_peak}, was too high for a long.",
        "A forecast whose p_peak is at most barriers.block_above, or a short signal.",
    ),
    Reason.BARRIER_VALLEY: Meaning(
        "likely valley",
        "Refused: the chance that this is a valley, {p_valley}, was too high for a short.",
        "A forecast whose p_valley is at most barriers.block_above, or a long signal.",
    ),
    Reason.RISK_NAME_CAP: Meaning(
        "name cap reached",
        "Refused: {held} shares are already at the cap of this name.",
        "A higher cap per name, or a smaller position.",
    ),
    Reason.RISK_ZERO_SIZE: Meaning(
        "size rounds to zero",
        "Refused: the size rounded to nothing (net edge {net}, quality {quality}).",
        "More equity, a higher cap, a smaller lot, or a larger net edge.",
    ),
    Reason.WEIGHTS_ABNORMAL: Meaning(
        "weights abnormal", "Refused: the horizon weights were not finite or did not sum to one.", "Weights that sum to one."
    ),
    Reason.RISK_CORRELATION: Meaning(
        "same bet held already",
        "Refused: what other symbols hold is as much of the same bet as this target was to be.",
        "Less held that moves along with this symbol, or a lower `risk.correlation_weight`.",
    ),
    Reason.RISK_GROSS: Meaning(
        "gross limit reached",
        "Refused: all positions together are at the gross limit.",
        "Smaller positions elsewhere, or a higher `risk.gross_share`.",
    ),
    Reason.RISK_NET: Meaning(
        "net limit reached",
        "Refused: long less short is at its limit on this side.",
        "A position on the other side, or a higher `risk.net_share`.",
    ),
    Reason.RISK_PARTICIPATION: Meaning(
        "too large for the volume",
        "Refused: too little was traded lately for a single lot to stay within the participation limit.",
        "More volume, or a higher `risk.participation_max`.",
    ),
    Reason.NOT_REBALANCE_TIME: Meaning(
        "not a rebalance time",
        "Refused: it was not one of the times at which targets may change.",
        "A decision at a rebalance time, or more of them in the configuration.",
    ),
    Reason.NO_TRADE_BAND: Meaning(
        "move too small",
        "Refused: the move from {held} to {target} shares was within the no-trade band, and nothing else asked for it.",
        "A larger move, a tight spread with a strong signal, a change of regime, or a narrower `rebalance.band`.",
    ),
    Reason.PLAN_RUNNING: Meaning(
        "plan still working",
        "Refused: an earlier plan was still working its orders.",
        "The end of that plan, or a shorter working time.",
    ),
    Reason.BUDGET: Meaning(
        "message budget used up", "Refused: the message budget of this minute was used up.", "A larger message budget."
    ),
    Reason.COMPONENT_ERROR: Meaning(
        "component error", "Refused: a component failed; see `status` and `breaker` for which.", "A component that does not fail."
    ),
}

FALLBACKS: dict[Fallback, str] = {
    Fallback.FEW_LABELS: "the original arbiter chose: fewer outcomes are known than `arbiter.labels_min`",
    Fallback.NAN_FEATURE: "the original arbiter chose: spread or volatility was unknown",
    Fallback.NO_WEIGHT: "the original arbiter chose: the mixture had nothing on the open horizons",
    Fallback.MODEL_OLD: "the original arbiter chose: the model was trained longer ago than `arbiter.model_age_max_days`",
}


def phrase(code: int) -> str:
    """Return the short words for a reason code; an unknown code reads `reason 123`."""
    return MEANINGS[Reason(code)].phrase if code in MEANINGS else f"reason {code}"
