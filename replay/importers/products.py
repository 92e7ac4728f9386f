"""Futures whose contract size is known: dollars per point of price, by product root.

Source: CME Group, contract specifications of each product ("Contract Unit", www.cmegroup.com/markets). Products whose size is no
whole number of dollars per point are not here.
"""

import re

CME_MULTIPLIERS = {
    "ES": 50, "MES": 5, "NQ": 20, "MNQ": 2, "RTY": 50, "M2K": 5, "YM": 5, "EMD": 100,  # equity indices
    "ZT": 2_000, "ZF": 1_000, "ZN": 1_000, "TN": 1_000, "ZB": 1_000, "UB": 1_000,  # treasuries, per point of par
    "CL": 1_000, "MCL": 100, "NG": 10_000, "RB": 42_000, "HO": 42_000,  # energy
    "GC": 100, "MGC": 10, "SI": 5_000, "HG": 25_000, "PL": 50,  # metals
    "6A": 100_000, "6B": 62_500, "6C": 100_000, "6E": 125_000, "6S": 125_000,  # currencies
}  # fmt: skip
_CONTRACT = re.compile(r"([A-Z0-9]{2,3})[FGHJKMNQUVXZ]\d{1,2}")


def cme_multiplier(symbol: str) -> int | None:
    """Return the multiplier of a CME contract, None where it is not known (spreads, options and other products).

    >>> cme_multiplier("ESH4"), cme_multiplier("ESH4-ESM4")
    (50, None)
    """
    match = _CONTRACT.fullmatch(symbol)
    return CME_MULTIPLIERS.get(match[1]) if match else None
