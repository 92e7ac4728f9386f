"""Delays of messages from the words of `fills.draws` and `fills.delays`, in plain Python."""

from math import exp
from statistics import NormalDist

MASK = 2**32 - 1


def mix(word):
    """Stir 32 bits."""
    for shift, factor in ((16, 0x21F0AAAD), (15, 0x735A2D97)):
        word = (word ^ word >> shift) * factor % 2**32
    return word ^ word >> 15


def uniform(*key):
    """Hash a key into a number between 0 and 1."""
    lanes = []
    for lane in (0x9E3779B9, 0x3C6EF372):
        for part in key:
            lane = mix(lane ^ part % 2**32)
            lane = mix(lane ^ part // 2**32)
        lanes.append(lane)
    return (lanes[0] * 2**20 + lanes[1] // 2**12 + 0.5) / 2**52


def lognormal_ns(u, median_ns, floor_ns, sigma):
    """The delay below which a share `u` of all stays."""
    return floor_ns + (median_ns - floor_ns) * exp(sigma * NormalDist().inv_cdf(u))


def bucket(ts_ns, event_ns, edges):
    """Which bucket the second before a time belongs to."""
    second = ts_ns // 10**9 - 1
    events = sum(t // 10**9 == second for t in event_ns)
    return sum(events >= edge for edge in edges)
