"""The folder with the listeners' certificates: whether anything in it changed since it was last looked at."""

from pathlib import Path

from carepost.ground import log

#: (name, modified, octets) of every certificate and key
Stamp = tuple[tuple[str, int, int], ...]


def look(folder: Path, before: Stamp) -> Stamp:
    """`before`, where the folder cannot be read now."""
    try:
        found = [(p.name, p.stat()) for p in folder.iterdir() if p.suffix in (".pem", ".key")]
    except OSError as error:
        log.failure("certificates-unreadable", error)
        return before
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in found))
