"""Random numbers: private, open at both ends, independent of how they are fetched."""

import numpy as np

from replay.synth.draws import Purpose, Stream


def test_pieces_equal_the_whole():
    """Drawing in pieces gives the numbers of one draw."""
    pieces = Stream(1, 2, 3, Purpose.FLOW)

    assert np.array_equal(Stream(1, 2, 3, Purpose.FLOW).uniform(50), np.concatenate([pieces.uniform(20), pieces.uniform(30)]))


def test_streams_are_private():
    """Seed, day, symbol and purpose each give another stream."""
    keys = [
        (1, 2, 3, Purpose.FLOW),
        (2, 2, 3, Purpose.FLOW),
        (1, 3, 3, Purpose.FLOW),
        (1, 2, 4, Purpose.FLOW),
        (1, 2, 3, Purpose.FEED),
    ]

    assert len(keys) == len({Stream(*key).uniform(1)[0] for key in keys})


def test_numbers_are_strictly_inside():
    """No number is 0 or 1, and the first one is what it always was."""
    numbers = Stream(0, 0, 0, Purpose.DRIVE).uniform(100_000)

    assert 0.0 < numbers.min() < 1e-3
    assert 1.0 - 1e-3 < numbers.max() < 1.0
    assert abs(0.5 - numbers.mean()) < 0.005
