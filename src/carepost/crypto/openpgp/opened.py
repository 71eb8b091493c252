"""What reading a protected message gives."""

import msgspec

from carepost.crypto.openpgp.verdict import Verdict


class Opened(msgspec.Struct, frozen=True):
    """What a message was before it was protected. `message`: CRLF line ends, the header its sender wrote where that
    was protected. `protection`, `hidden`, `warnings`: as `rfc.protected.Opened`. `by`: whose key decrypted it."""

    message: bytes
    encrypted: bool
    verdict: Verdict
    protection: str = ""
    hidden: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    by: str = ""
