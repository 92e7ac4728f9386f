"""Random numbers without a generator: each is a pure function of its key, so an extra draw changes nobody else's numbers.

A *key* is a handful of whole numbers: seed, component, symbol, order, leg, count. `replay.numeric.uniform` hashes it to one
uniform number, and that becomes one normal number by the inverse of the normal distribution. Only `+ - * /`, shifts, square root
and `replay.numeric.log` are used: the same bits on every processor, compiled or not.

References
----------
M. J. Wichura (1988), *Algorithm AS 241: The Percentage Points of the Normal Distribution*, Applied Statistics 37.
"""

import math

from replay.jit import kernel
from replay.numeric import log


@kernel
def normal(u):
    """Return the standard normal number below which a share `u` of all lies; 0 < u < 1, within 1e-12 of the true value."""
    q = u - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        return q * _ratio_middle(r)
    r = math.sqrt(-log(u if q < 0.0 else 1.0 - u))
    z = _ratio_near(r - 1.6) if r <= 5.0 else _ratio_far(r - 5.0)
    return -z if q < 0.0 else z


@kernel
def _ratio_middle(r):
    above = 0.0
    for a in (
        2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
        1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0,
    ):  # fmt: skip
        above = above * r + a
    below = 0.0
    for b in (
        5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
        5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0,
    ):  # fmt: skip
        below = below * r + b
    return above / below


@kernel
def _ratio_near(r):
    above = 0.0
    for c in (
        7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
        3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0,
    ):  # fmt: skip
        above = above * r + c
    below = 0.0
    for d in (
        1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
        6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0,
    ):  # fmt: skip
        below = below * r + d
    return above / below


@kernel
def _ratio_far(r):
    above = 0.0
    for e in (
        2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
        2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0,
    ):  # fmt: skip
        above = above * r + e
    below = 0.0
    for f in (
        2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
        1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0,
    ):  # fmt: skip
        below = below * r + f
    return above / below
