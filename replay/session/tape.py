"""What a print tells of itself beside its flags: whether it came from an exchange at all, and whether it came late.

Every door into a session passes here, so that both are decided once, whatever the feed or the importer.

Off exchange: reported to a facility of FINRA, by any of its names: `D` of the tapes, `FINRA`, `TRF` and what begins or ends with
it, `ADF`, and the market identifier codes FINN, FINC, FINY (trade reporting facilities), FINR, FINO and XADF.

Late: received more than `LATE_NS` after the exchange's own time. FINRA Rule 6380A has trades reported within ten seconds and
marks what comes later. A time in whole seconds may be up to a second older than it says, and is given that second.
"""

import re

import numpy as np

from replay.events import NO_TIME

LATE_NS = 10_000_000_000
_SECOND_NS = 1_000_000_000
_OFF_EXCHANGE = re.compile(r"D|DARK|X?ADF\w*|FIN[RNCYO]|(FINRA|TRF).*|.*TRF")


def is_off_exchange(venue: str) -> bool:
    """Tell whether a venue's name, in either case, is that of a facility for trades made off the exchanges.

    Examples
    --------
    >>> [is_off_exchange(name) for name in ("D", "FINRA", "trf", "NASDAQ TRF", "Q", "ARCA", "")]
    [True, True, True, True, False, False, False]
    """
    return _OFF_EXCHANGE.fullmatch(venue.strip().upper()) is not None


def is_late(ts_ns: np.ndarray, exch_ts_ns: np.ndarray) -> np.ndarray:
    """Tell which prints were received too long after they happened; without the exchange's time none is late."""
    grace_ns = np.where(exch_ts_ns % _SECOND_NS == 0, _SECOND_NS, 0)
    return np.asarray((exch_ts_ns != NO_TIME) & (exch_ts_ns < ts_ns - LATE_NS - grace_ns))
