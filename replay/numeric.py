"""`exp`, `log` and random numbers from basic arithmetic, so that a decision has the same bits on every processor.

The C library's `exp` and `log` differ in the last bit between processors (fused multiply-add or not). Both functions here use
`+ - * /` and exact scaling by powers of two only, and stay within one unit in the last place of the true value. A random number
is a pure function of its key, hashed in two lanes of 32 bits: an extra draw changes nobody else's numbers.

References
----------
W. J. Cody and W. Waite (1980), *Software Manual for the Elementary Functions*: argument reduction with a split `ln 2`.
C. Wellons (2018), *Prospecting for Hash Functions*: the 32-bit mixer, its constants below 2**31 so that no product overflows.
"""

import math

from replay.jit import kernel

_LN2_HI = 6.93147180369123816490e-01
_LN2_LO = 1.90821492927058770002e-10
_INV_LN2 = 1.44269504088896338700e00
_SQRT_HALF = 0.70710678118654752440
_LOW_32 = 0xFFFFFFFF
_LANES = (0x9E3779B9, 0x3C6EF372)  # the golden ratio and its double, as in many hashes: any two different numbers do


@kernel
def exp(x):
    """Return e to the power x; inf above 709.78, 0 below -745.13, NaN for NaN."""
    if x != x:
        return x
    if x > 709.782712893384:
        return math.inf
    if x < -745.1332191019412:
        return 0.0
    k = math.floor(x * _INV_LN2 + 0.5)
    r = (x - k * _LN2_HI) - k * _LN2_LO
    term = 1.0 / 6227020800.0
    for n in (479001600.0, 39916800.0, 3628800.0, 362880.0, 40320.0, 5040.0, 720.0, 120.0, 24.0, 6.0, 2.0):
        term = term * r + 1.0 / n
    return math.ldexp(1.0 + (r + r * r * term), int(k))


@kernel
def log(x):
    """Return the natural logarithm; -inf at 0, NaN below 0 and for NaN."""
    if x != x or x < 0.0:
        return math.nan
    if x == 0.0:
        return -math.inf
    if x == math.inf:
        return x
    m, e = math.frexp(x)
    if m < _SQRT_HALF:
        m *= 2.0
        e -= 1
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    series = 2.0 / 21.0
    for n in (19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0):
        series = series * z + 2.0 / n
    half_square = 0.5 * f * f
    rest = s * (half_square + z * series) + e * _LN2_LO
    return e * _LN2_HI - ((half_square - rest) - f)


@kernel
def uniform(seed, component, symbol_key, order_id, leg, count):
    """Return the number of a key, strictly between 0 and 1, an odd multiple of 2**-53; all parts are whole and not negative."""
    high = _LANES[0]
    low = _LANES[1]
    for part in (seed, component, symbol_key, order_id, leg, count):
        high = _fold(high, part)
        low = _fold(low, part)
    return ((high << 20 | low >> 12) + 0.5) / 4503599627370496.0


@kernel
def _fold(lane, part):
    """Stir both halves of a whole number into a lane."""
    return _mix(_mix(lane ^ (part & _LOW_32)) ^ (part >> 32))


@kernel
def _mix(word):
    word = (word ^ (word >> 16)) * 0x21F0AAAD & _LOW_32
    word = (word ^ (word >> 15)) * 0x735A2D97 & _LOW_32
    return word ^ (word >> 15)
