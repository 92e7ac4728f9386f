"""The cap per name, from design row 7's original."""

from tests.naive.sizing import shares


def cap(target, mid_usd, lot, cap_usd):
    limit = shares(cap_usd, mid_usd, lot)[1]
    if abs(target) <= limit:
        return target
    return limit if target > 0 else -limit
