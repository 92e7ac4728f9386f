"""Compare the rows of a recording with the digests in its manifest."""

from collections.abc import Sequence
from pathlib import Path

from replay.errors import DataError
from replay.session.digest import StreamDigest, file_sha256, session_digest
from replay.session.manifest import StreamInfo
from replay.session.reader import Recording, Source


def stream_digest(recording: Recording, stream: str) -> str:
    """Return the digest of the rows of a stream as they are."""
    digest = StreamDigest(stream)
    for _, table in recording.groups(stream):
        digest.update(table)
    return digest.hexdigest()


def manifest_digest(recording: Recording) -> str:
    """Return the digest that the manifest should have, from its own symbol table and stream digests."""
    manifest = recording.manifest
    streams = {name: info.digest for name, info in manifest.streams.items()}
    return session_digest(manifest.hours, manifest.scale, manifest.symbols, streams)


def check_digests(recording: Recording) -> None:
    """Raise a sentence for the first stream whose rows are not what the manifest says."""
    for stream in recording.manifest.streams:
        _check_rows(recording, stream)
    _check_manifest(recording)


def check_files(recording: Recording, streams: Sequence[str]) -> None:
    """Raise a sentence for the first of some streams that is not what the manifest says.

    A file whose bytes are those that were written holds the rows that were written, at a twentieth of what hashing the rows
    costs. A file of other bytes (rewritten with another compression, or written before files had digests) is judged by its rows.
    """
    for stream, info in recording.manifest.streams.items():
        if recording.folder is not None and stream in streams and not _has_same_bytes(recording.sources[stream], info):
            _check_rows(recording, stream)
    _check_manifest(recording)


def _has_same_bytes(source: Source, info: StreamInfo) -> bool:
    return bool(info.file_sha256) and file_sha256(Path(source.name)) == info.file_sha256


def _check_rows(recording: Recording, stream: str) -> None:
    found, said = stream_digest(recording, stream), recording.manifest.streams[stream].digest
    if found != said:
        raise DataError(
            f"{recording.sources[stream].name} has digest {found[:16]}, its manifest says {said[:16]}: "
            "the rows were altered; import the session again"
        )


def _check_manifest(recording: Recording) -> None:
    found = manifest_digest(recording)
    if found != recording.manifest.digest:
        raise DataError(
            f"the manifest of {recording.manifest.day} has digest {recording.manifest.digest[:16]}, its content {found[:16]}: "
            "it was edited; import the session again"
        )
