"""Bands: what a recording cannot know, decided three times: against us, as expected, and for us.

A *band* is one reading of everything that level-1 data leaves open. The numbers are those of the rules in `fills.exchange`.

============================================  ===================  ====================  =====================
what nobody recorded                          pessimistic          expected              optimistic
============================================  ===================  ====================  =====================
who left when the display fell (6)            trades_only          `[venue] queue`       all_ahead
hidden interest ahead of an order that is     one lot              none                  none
alone at its price (2)
a print through our price (8)                 fills nothing        fills its size, but   fills its size
                                                                   none where each
                                                                   message is on record
an inside print whose side is guessed (10)    reaches nobody       nearer side, or tick  whom it can reach
a print without a venue (10)                  .58, rounded down    .67, to the nearest   all of it
what a fitted model learned of prints         honoured, at most    honoured              ignored
(`fills.shares`)                              the above
the other side stops at our price (12)        fills nothing        fills what it shows   fills what it shows
depth beyond the touch (26)                   none                 2 ticks of a half     4 ticks as deep as
                                                                                         the touch
an auction at our price (29)                  fills nothing        fills nothing         fills its size
a dark print at the mid (28)                  fills nothing        fills nothing         fills its size
a bar, where there is nothing else (34)       5 % of its volume,   10 %, through our     20 %, at our price
                                              through our price    price                 or through it
============================================  ===================  ====================  =====================

Why these: 26 to 42 % of the volume printed at the touch of three US stocks on three days was off-exchange, hence .58 and .67 and,
for a market without any, 1. A print through a resting price on a single venue is a matter of late data, and counting it made more
false fills than true ones on message-level data; on a consolidated tape it may be another venue's. Sampled quotes lock without a
trade.

The windows in which a quote waits for its print (rule 9) belong to the evidence and are the same in every band: no window is the
pessimistic one, since a longer one explains some prints away and lets others through.

`IBKR_PAPER` is the fill rule of IBKR's paper accounts, in the same terms: no print fills, the other side's top of book does.
"""

from enum import StrEnum

import numpy as np

from fills.own_queue import OwnQueue
from fills.queue import QueueModel
from replay.errors import UsageError
from replay.orders import Evidence

CHOICE = np.dtype(
    [
        ("no_venue_ppm", "i8"),  # millionths of a print without a venue that reach our queue ...
        ("no_venue_round_ppm", "i8"),  # ... and what is added before they are cut to whole shares
        ("depth_ticks", "i8"),  # how many ticks beyond the touch are thought to hold something ...
        ("depth_percent", "i8"),  # ... and how much each, of what the touch shows
        ("inside_lots", "i8"),  # hidden interest ahead of an order that is alone at its price
        ("has_print_fills", "i8"),  # 0 = prints fill nobody
        ("has_through", "i8"),  # prints through our price fill
        ("cross_gap", "i8"),  # 0 = the other side fills at our price, 1 = only beyond it
        ("guess", "i8"),  # inside prints without a side: GUESS_NOBODY, GUESS_NEARER or GUESS_ANYBODY
        ("has_auction_at", "i8"),  # an auction at our very price fills
        ("bar_percent", "i8"),  # share of a bar's volume that may be ours
        ("has_bar_touch", "i8"),  # a bar that only reaches our price fills
        ("fit", "i8"),  # shares of prints that a fitted model learned: FIT_NOTHING, FIT_INSTEAD or FIT_AT_MOST
        ("has_own_share", "i8"),  # a share of prints without a venue was given, which nothing replaces
    ],
    align=True,
)
N_EVIDENCE = 8
MILLION = 1_000_000

GUESS_NOBODY = 0
GUESS_NEARER = 1
GUESS_ANYBODY = 2

FIT_NOTHING = 0
FIT_INSTEAD = 1
FIT_AT_MOST = 2


class Band(StrEnum):
    """Name a reading of what the recording leaves open."""

    PESSIMISTIC = "pessimistic"
    EXPECTED = "expected"
    OPTIMISTIC = "optimistic"

    @classmethod
    def _missing_(cls, value: object) -> "Band":
        if str(value).upper() in cls.__members__:
            return cls[str(value).upper()]
        raise UsageError(f"unknown band {value!r}; known are {', '.join(member.value for member in cls)}")


class FillRule(StrEnum):
    """Name whose way of filling is simulated."""

    QUEUE = "queue"  # the rules of `fills.exchange`
    IBKR_PAPER = "ibkr-paper"  # top of book only, as IBKR's paper accounts

    @classmethod
    def _missing_(cls, value: object) -> "FillRule":
        if str(value).upper() in cls.__members__:
            return cls[str(value).upper()]
        raise UsageError(f"unknown fill rule {value!r}; known are {', '.join(member.value for member in cls)}")


def queue_of(band: Band, queue: QueueModel | OwnQueue) -> QueueModel | OwnQueue:
    """Return the queue model of a band; `queue` is the one thought right, and FIFO, which knows, is right in all."""
    if queue is QueueModel.FIFO:
        return queue
    fixed = {Band.PESSIMISTIC: QueueModel.TRADES_ONLY, Band.OPTIMISTIC: QueueModel.ALL_AHEAD}
    return fixed.get(band, queue)


def choices(band: Band = Band.EXPECTED, rule: FillRule = FillRule.QUEUE, no_venue_share: float | None = None) -> np.ndarray:
    """Return the choices of a band, a row per `Evidence`.

    Parameters
    ----------
    band : Band
        The column of the table above.
    rule : FillRule
        `IBKR_PAPER` fills by the other side's top of book alone, whatever the band.
    no_venue_share : float, optional
        Share (0..1) of a print without a venue in place of the band's own; rounded as in the band.
    """
    rows = np.zeros(N_EVIDENCE, CHOICE)
    rows["has_print_fills"] = 1
    _WRITERS[band](rows)
    if no_venue_share is not None:
        rows["no_venue_ppm"] = round(no_venue_share * MILLION)
        rows["has_own_share"] = 1
    if rule is FillRule.IBKR_PAPER:
        for name in ("has_print_fills", "depth_ticks", "cross_gap", "has_auction_at", "bar_percent"):
            rows[name] = 0
    return rows


def _pessimistic(rows: np.ndarray) -> None:
    rows["no_venue_ppm"] = 580_000
    rows["inside_lots"] = 1
    rows["guess"] = GUESS_NOBODY
    rows["cross_gap"] = 1
    rows["bar_percent"] = 5
    rows["fit"] = FIT_AT_MOST


def _expected(rows: np.ndarray) -> None:
    rows["no_venue_ppm"], rows["no_venue_round_ppm"] = 670_000, MILLION // 2
    rows["guess"] = GUESS_NEARER
    rows["has_through"] = 1
    rows["has_through"][Evidence.MESSAGE_LEVEL] = 0
    rows["depth_ticks"], rows["depth_percent"] = 2, 50
    rows["bar_percent"] = 10
    rows["fit"] = FIT_INSTEAD


def _optimistic(rows: np.ndarray) -> None:
    rows["no_venue_ppm"], rows["no_venue_round_ppm"] = MILLION, MILLION // 2
    rows["guess"] = GUESS_ANYBODY
    rows["has_through"] = 1
    rows["depth_ticks"], rows["depth_percent"] = 4, 100
    rows["has_auction_at"] = 1
    rows["bar_percent"] = 20
    rows["has_bar_touch"] = 1


_WRITERS = {Band.PESSIMISTIC: _pessimistic, Band.EXPECTED: _expected, Band.OPTIMISTIC: _optimistic}
