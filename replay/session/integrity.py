"""Compare the rows of a recording with the digests in its manifest."""

from replay.errors import DataError
from replay.session.digest import StreamDigest, session_digest
from replay.session.reader import Recording


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
    """Raise a sentence for the first stream that is not what the manifest says."""
    for stream, info in recording.manifest.streams.items():
        found = stream_digest(recording, stream)
        if found != info.digest:
            raise DataError(
                f"{recording.sources[stream].name} has digest {found[:16]}, its manifest says {info.digest[:16]}: "
                "the rows were altered; import the session again"
            )
    found = manifest_digest(recording)
    if found != recording.manifest.digest:
        raise DataError(
            f"the manifest of {recording.manifest.day} has digest {recording.manifest.digest[:16]}, its content {found[:16]}: "
            "it was edited; import the session again"
        )
