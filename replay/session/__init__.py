"""Sessions: recorded trading days on disk.

==================  =====================================================================
`session`           `Session`: open, look, stream
`build`, `writer`   `write_session` from frames; `SessionWriter` piece by piece
`columns`, `rules`  what a frame must hold, and which flags follow
`order`             sorting, ties and `seq`
`tables`            columns, encodings, messages
`manifest`          `SymbolInfo`, `Manifest` and their JSON
`digest`            content digests; `integrity` compares them
`reader`, `stream`  groups of rows in, blocks of events out; `arrays` arrow to numpy, `merge` the kernels
`merged`            sessions of one date put together
`frames`, `views`   from and to DataFrames
`check`             data-quality findings
==================  =====================================================================

Importing this package loads neither pandas, pyarrow nor numba.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from replay.session.build import write_session as write_session
    from replay.session.manifest import Manifest as Manifest
    from replay.session.manifest import SymbolInfo as SymbolInfo
    from replay.session.session import Session as Session
    from replay.session.writer import SessionWriter as SessionWriter

_HOMES = {
    "Manifest": "manifest",
    "Session": "session",
    "SessionWriter": "writer",
    "SymbolInfo": "manifest",
    "write_session": "build",
}
__all__ = ["Manifest", "Session", "SessionWriter", "SymbolInfo", "write_session"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
