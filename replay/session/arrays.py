"""Between arrow columns and numpy arrays, without a copy wherever nothing is absent.

Arrow's own `to_numpy` and `pa.array` import pandas (a quarter of a second at the start of a run), so the buffers are read and
made directly. All arrays read are read-only: a kernel would otherwise be compiled twice.
"""

from collections.abc import Sequence
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
    array = np.where(_is_there(chunk), _view(chunk), NO_TIME) if chunk.null_count else _view(chunk)
    array.flags.writeable = False
    return array


def arrow_numbers(values: np.ndarray, is_there: np.ndarray | None = None) -> Any:
    """Return numbers or booleans as an arrow array; where `is_there` is false they are null."""
    import pyarrow as pa

    is_bit = values.dtype == bool
    data = np.packbits(values, bitorder="little") if is_bit else np.ascontiguousarray(values)
    mask = None if is_there is None or is_there.all() else pa.py_buffer(np.packbits(is_there, bitorder="little"))
    kind = pa.bool_() if is_bit else pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [mask, pa.py_buffer(data)])


def arrow_texts(texts: Sequence[str]) -> Any:
    """Return texts as an arrow array of strings."""
    import pyarrow as pa

    coded = [text.encode() for text in texts]
    ends = np.zeros(len(coded) + 1, np.int32)
    np.cumsum([len(text) for text in coded], out=ends[1:])
    return pa.Array.from_buffers(pa.string(), len(coded), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(coded))])


def arrow_words(codes: np.ndarray, words: Sequence[str]) -> Any:
    """Return `words[code]` for every code as an arrow array of strings."""
    import pyarrow as pa

    coded = [word.encode() for word in words]
    length = np.array([len(word) for word in coded], np.int32)
    letters = np.zeros((len(coded), max(int(length.max()), 1)), np.uint8)
    for row, word in zip(letters, coded, strict=True):
        row[: len(word)] = np.frombuffer(word, np.uint8)
    ends = np.zeros(len(codes) + 1, np.int32)
    np.cumsum(length[codes], out=ends[1:])
    data = letters[codes][np.arange(letters.shape[1]) < length[codes][:, None]]
    return pa.Array.from_buffers(pa.string(), len(codes), [None, pa.py_buffer(ends), pa.py_buffer(data)])


def _view(chunk: Any) -> np.ndarray:
    if str(chunk.type) == "bool":
        return _bits(chunk, 1)
    dtype = np.dtype(_DTYPES[str(chunk.type)])
    data = chunk.buffers()[1]
    if len(chunk) == 0 or data is None:
        return np.zeros(len(chunk), dtype)
    return np.frombuffer(data, dtype, len(chunk), chunk.offset * dtype.itemsize)


def _is_there(chunk: Any) -> np.ndarray:
    return _bits(chunk, 0).astype(bool)


def _bits(chunk: Any, buffer: int) -> np.ndarray:
    data = chunk.buffers()[buffer]
    if len(chunk) == 0 or data is None:
        return np.zeros(len(chunk), np.uint8)
    bits = np.unpackbits(np.frombuffer(data, np.uint8), count=chunk.offset + len(chunk), bitorder="little")
    return bits[chunk.offset :]


_DTYPES = {"int64": "i8", "int32": "i4", "int8": "i1", "uint8": "u1", "double": "f8"}


def one_chunk(column: Any) -> Any:
    """Return a chunked column as one array with one dictionary."""
    import pyarrow as pa

    if column.num_chunks == 0:
        return pa.nulls(0, column.type)
    if column.num_chunks == 1:
        return column.chunk(0)
    return column.unify_dictionaries().combine_chunks()
