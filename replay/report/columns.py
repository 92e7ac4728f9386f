"""A table of a run as numpy arrays: what the report reads instead of data frames, which would cost a quarter of a second."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from replay.errors import DataError
from replay.events import NO_TIME
from replay.session.arrays import column_array, column_words

if TYPE_CHECKING:
    import pyarrow as pa


class Columns:
    """Columns by name; texts are codes with their words, absent integers are `NO_TIME`.

    Parameters
    ----------
    arrays : mapping of str to array
        Numbers, or codes of the words.
    words : mapping of str to list of str
        The words of each text column.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], words: Mapping[str, list[str]] | None = None) -> None:
        self._arrays = dict(arrays)
        self._words = dict(words or {})

    @classmethod
    def read(cls, path: Path, names: Sequence[str] | None = None) -> Columns:
        """Read a Parquet file of plain columns, or only some of them.

        Raises
        ------
        DataError
            When the file is missing, broken, or lacks a column.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(path) as plain:
                schema = plain.schema_arrow
            lacking = [name for name in names or () if name not in schema.names]
            if lacking:
                raise DataError(f"`{path}` has no column {', '.join(lacking)}: another version wrote the run; run it again")
            texts = [field.name for field in schema if pa.types.is_string(field.type)]
            with pq.ParquetFile(path, read_dictionary=texts) as file:
                table = file.read(columns=None if names is None else list(names))
        except (OSError, pa.ArrowInvalid) as error:
            raise DataError(f"`{path}` cannot be read ({error}); run it again") from error
        return cls.of(table)

    @classmethod
    def of(cls, table: pa.Table) -> Columns:
        """Take the columns of an arrow table."""
        import pyarrow as pa

        arrays, words = {}, {}
        for field in table.schema:
            if pa.types.is_dictionary(field.type) or pa.types.is_string(field.type):
                arrays[field.name], words[field.name] = column_words(table, field.name)
            else:
                arrays[field.name] = column_array(table, field.name)
        return cls(arrays, words)

    def __len__(self) -> int:
        return len(next(iter(self._arrays.values()), ()))

    def __getitem__(self, name: str) -> np.ndarray:
        return self._arrays[name]

    def is_any(self, name: str, *wanted: str) -> np.ndarray:
        """Return where a text column holds one of some words."""
        codes = [code for code, word in enumerate(self._words[name]) if word in wanted]
        return np.isin(self._arrays[name], codes)

    def where(self, chosen: np.ndarray | slice) -> Columns:
        """Return some of the rows."""
        return Columns({name: values[chosen] for name, values in self._arrays.items()}, self._words)

    def of_symbol(self, symbol: str) -> Columns:
        """Return the rows of one symbol."""
        return self.where(self.is_any("symbol", symbol))

    def of_words(self, name: str, values: Mapping[str, float], default: float) -> np.ndarray:
        """Return a number for each row by the word of a text column."""
        by_code = np.array([values.get(word, default) for word in self._words[name]] or [default])
        return by_code[self._arrays[name]] if len(self) else np.zeros(0)

    def records(self) -> Iterator[dict[str, Any]]:
        """Iterate over the rows as dictionaries; what is absent is None."""
        lists = {name: self._plain(name) for name in self._arrays}
        return (dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True))

    def _plain(self, name: str) -> list[Any]:
        values: list[Any] = self._arrays[name].tolist()
        if name in self._words:
            return [self._words[name][code] for code in values]
        return [None if value == NO_TIME or value != value else value for value in values]
