"""ZIP files made in memory, with names that are safe to unpack anywhere (BI-056)."""

import io
import zipfile
from collections.abc import Iterable


def zipped(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Names are taken as given (rfc.mime made them safe) and told apart when equal."""
    made = io.BytesIO()
    taken: set[str] = set()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(_unique(name, taken), data)
    return made.getvalue()


def _unique(name: str, taken: set[str]) -> str:
    stem, dot, end = name.rpartition(".")
    candidate, count = name, 1
    while candidate.casefold() in taken:
        count += 1
        candidate = f"{stem} ({count}){dot}{end}" if dot else f"{name} ({count})"
    taken.add(candidate.casefold())
    return candidate
