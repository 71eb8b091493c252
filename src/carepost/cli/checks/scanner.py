"""The virus scanner, asked with files of our own: whether it finds what it should, and says when it could not look."""

import asyncio
import io
import zipfile
from collections.abc import Iterator
from typing import Final

from carepost.cli.checks.finding import Finding, attention, failed, ok
from carepost.cli.local import Local
from carepost.ground.errors import ConfigError
from carepost.inspection.clamd import Clamd
from carepost.inspection.types import Verdict, Virus

#: the test file that every scanner calls a virus (eicar.org), in two pieces so that this file is none
_EICAR: Final = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + rb"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
#: archives in archives: one more than clamd's MaxRecursion can be
_DEEP: Final = 101
_SECONDS: Final = 30.0


def scanner(here: Local) -> Iterator[Finding]:
    """Only where the setting `clamd` names one."""
    address = here.config.clamd
    if not address:
        return
    try:
        asked = asyncio.run(_asked(Clamd(address, seconds=_SECONDS)))
    except ConfigError as error:
        yield failed(error.public, "set CAREPOST_CLAMD to its socket, or to 127.0.0.1:3310")
        return
    virus, locked, deep = asked
    if virus.virus is Virus.UNAVAILABLE:
        yield failed(
            f"clamd at {address} does not answer ({virus.reason}): what has attachments is held",
            "start clamd, and let this user open its socket (clamd.conf: LocalSocketMode, or the group clamav)",
        )
        return
    if virus.virus is not Virus.INFECTED:
        yield failed(
            f"clamd at {address} does not find the test virus: it has no signatures to go by",
            "run freshclam, then restart clamd",
        )
    else:
        yield ok(f"clamd at {address} finds the test virus")
    for verdict, what, line in (
        (locked, "a locked archive", "AlertEncrypted yes"),
        (deep, "what lies too deep to look into", "AlertExceedsMax yes"),
    ):
        if verdict.virus is Virus.CLEAN:
            yield attention(
                f"clamd calls {what} clean; Carepost looks again itself and holds it where it can tell",
                f"put the line {line} into clamd.conf, and restart clamd",
            )


async def _asked(clamd: Clamd) -> tuple[Verdict, Verdict, Verdict]:
    """Of the test virus, a locked archive, and archives in archives."""
    deep = b"x"
    for _ in range(_DEEP):
        deep = _zipped(deep)
    virus = await clamd.scan(_EICAR)
    if virus.virus is Virus.UNAVAILABLE:
        return virus, virus, virus
    return virus, await clamd.scan(_locked()), await clamd.scan(deep)


def _zipped(data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.zip", data)
    return made.getvalue()


def _locked() -> bytes:
    """An archive whose file is marked as under a password (APPNOTE 4.4.4, bit 0), in both its headers."""
    made = bytearray(_zipped(b"locked"))
    made[6] |= 1
    made[made.index(b"PK\x01\x02") + 8] |= 1
    return bytes(made)
