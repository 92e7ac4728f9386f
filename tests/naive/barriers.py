"""The original barrier gate blocks nothing."""


def judge(side, p_peak, p_valley):
    return side
