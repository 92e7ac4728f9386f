"""`exp` and `log` from basic arithmetic, so that a decision has the same bits on every processor.

The C library's versions differ in the last bit between processors (fused multiply-add or not). Both functions here use
`+ - * /` and exact scaling by powers of two only, and stay within one unit in the last place of the true value.

References
----------
W. J. Cody and W. Waite (1980), *Software Manual for the Elementary Functions*: argument reduction with a split `ln 2`.
"""

import math

from replay.jit import kernel

_LN2_HI = 6.93147180369123816490e-01
_LN2_LO = 1.90821492927058770002e-10
_INV_LN2 = 1.44269504088896338700e00
_SQRT_HALF = 0.70710678118654752440


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
