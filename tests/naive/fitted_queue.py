"""The fitted queue model in the plainest Python: what is ahead is a whole number of millionths of a share."""

import math

from replay.numeric import exp, log

MILLION = 10**6


def fall(fit, micro, drop, new, case):
    """What is left of `micro` ahead when the display fell to `new`, `drop` of it unexplained by prints.

    `case` holds age_s, spread (ticks), other (displayed on the other side) and quiet_s.
    """
    most = min(micro, new * MILLION)
    ahead = micro / MILLION
    behind = new + drop - ahead
    if drop == 0 or micro == 0:
        return most
    if behind <= 0:
        return max(min(micro - drop * MILLION, most), 0)
    odds = fit["base"] + fit["position"] * log(ahead / behind)
    odds += fit["level"] * log(float(new + drop)) + fit["drop"] * log(float(drop))
    odds += fit["age"] * log(1.0 + case["age_s"]) + fit["spread"] * log(float(max(case["spread"], 1)))
    odds += fit["balance"] * log((new + drop) / max(case["other"], 1))
    odds += fit["quiet"] * log(1.0 + min(case["quiet_s"], 60.0))
    gone = min(drop / (1.0 + exp(-min(max(odds, -30.0), 30.0))), ahead)
    return min(math.floor((ahead - gone) * MILLION + 0.5), most)


def back_again(fit, micro, hidden_s, moves, new):
    """What is left ahead when a level is the touch again after a better price hid it and the touch moved so often."""
    loss = fit["hidden_decay"] * log(1.0 + hidden_s) + fit["hidden_move"] * min(moves, 60)
    left = math.floor(micro * exp(-loss) + 0.5)
    return min(left, micro, new * MILLION)
