"""Parts of a message encoded anew: where a part's header begins, and whether the result still says the same."""

import base64
import re
from collections.abc import Sequence
from typing import Final

from carepost.rfc import mime, parts

#: a whole Content-Transfer-Encoding field
CTE: Final = re.compile(
    rb"^content-transfer-encoding[ \t]*:[^\r]*(?:\r\n[ \t][^\r]*)*\r\n", re.IGNORECASE | re.MULTILINE
)
#: inside these no octet may change (RFC 1847)
KEPT: Final = frozenset({"signed", "encrypted"})


def head(raw: bytes, after: int, start: int) -> int:
    """Where the header of the part whose body begins at `start` begins: after the last delimiter line before it."""
    mark = raw.rfind(b"\r\n--", after, start - 2)
    return 0 if mark < 0 else raw.find(b"\r\n", mark + 2) + 2


def base64_lines(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n").removesuffix(b"\r\n")


def same(raw: bytes, before: Sequence[parts.Part], converted: bytes) -> bool:
    """Every part is what and where it was, and decodes to the same octets. Raises RfcError."""
    after = parts.walk(converted)
    return len(after) == len(before) and all(
        (old.type, old.params, old.within, old.disposition, old.content_id)
        == (new.type, new.params, new.within, new.disposition, new.content_id)
        and mime.decode(raw, old) == mime.decode(converted, new)
        for old, new in zip(before, after, strict=True)
    )
