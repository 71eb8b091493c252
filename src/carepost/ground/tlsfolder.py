"""The folder of <host name>.pem and .key that listeners serve: when what lies there ends."""

from collections.abc import Iterator
from pathlib import Path

from cryptography import x509


def ends(folder: Path) -> Iterator[tuple[str, int]]:
    """(host name, end in UTC microseconds) of each certificate that has its key; what cannot be read is passed over."""
    for pem in sorted(folder.glob("*.pem")):
        if not pem.with_suffix(".key").exists():
            continue
        try:
            leaf = x509.load_pem_x509_certificate(pem.read_bytes())
        except (OSError, ValueError):
            continue
        yield pem.stem, int(leaf.not_valid_after_utc.timestamp()) * 1_000_000
