"""From arrow columns to numpy arrays, without a copy wherever nothing is absent.

Arrow's own `to_numpy` imports pandas (half a second at the start of a run), so the buffers are read directly. All arrays are
read-only: a kernel would otherwise be compiled twice.
"""

from typing import Any

import numpy as np

from replay.events import NO_TIME


def column_array(table: Any, name: str) -> np.ndarray:
    """Return a numeric column of a table; absent times are `NO_TIME`, booleans uint8."""
    return fixed_array(one_chunk(table.column(name)))


def column_words(table: Any, name: str) -> tuple[np.ndarray, list[str]]:
    """Return a text column as codes (int32) and the words that they stand for."""
    import pyarrow as pa

    chunk = one_chunk(table.column(name))
    if not pa.types.is_dictionary(chunk.type):
        chunk = chunk.dictionary_encode()
    return fixed_array(chunk.indices), chunk.dictionary.to_pylist()


def fixed_array(chunk: Any) -> np.ndarray:
    """Return an arrow array of numbers, times or booleans."""
    import pyarrow as pa

    if pa.types.is_boolean(chunk.type):
        chunk = chunk.cast(pa.uint8())
    array = np.where(_is_there(chunk), _view(chunk), NO_TIME) if chunk.null_count else _view(chunk)
    array.flags.writeable = False
    return array


def _view(chunk: Any) -> np.ndarray:
    dtype = np.dtype(_DTYPES[str(chunk.type)])
    data = chunk.buffers()[1]
    if len(chunk) == 0 or data is None:
        return np.zeros(len(chunk), dtype)
    return np.frombuffer(data, dtype, len(chunk), chunk.offset * dtype.itemsize)


def _is_there(chunk: Any) -> np.ndarray:
    bits = np.frombuffer(chunk.buffers()[0], np.uint8)
    return np.unpackbits(bits, count=chunk.offset + len(chunk), bitorder="little")[chunk.offset :].astype(bool)


_DTYPES = {"int64": "i8", "int32": "i4", "int8": "i1", "uint8": "u1", "double": "f8"}


def one_chunk(column: Any) -> Any:
    """Return a chunked column as one array with one dictionary."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return column.unify_dictionaries().combine_chunks()
