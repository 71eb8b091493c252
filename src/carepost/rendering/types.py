"""The values of rendering: what somebody wrote, what is kept of it, what came out, what went wrong."""

from typing import Final

import msgspec

from carepost.crypto.digest import sha256

#: octets of all parts of a template as written, and of one message's variables (JSON)
MAX_SOURCE: Final = 512 * 1024
MAX_VARIABLES: Final = 64 * 1024
#: octets of one part of a message made from it
MAX_OUTPUT: Final = 1_000_000


class Source(msgspec.Struct, frozen=True):
    """As written. `text` "": made from the HTML. `mjml`: `html` is MJML."""

    subject: str
    html: str = ""
    text: str = ""
    mjml: bool = False


class Compiled(msgspec.Struct, frozen=True, tag="compiled"):
    """What is run for each message: Liquid in every part, MJML in none. `variables`: the names it uses."""

    subject: str
    html: str
    text: str
    variables: tuple[str, ...] = ()
    v: int = 1

    @property
    def digest(self) -> bytes:
        return sha256(msgspec.msgpack.encode(self))


class Rendered(msgspec.Struct, frozen=True, tag="rendered"):
    subject: str
    html: str
    text: str


class Fault(msgspec.Struct, frozen=True, tag="fault"):
    """code: template | variable | limit | too-slow | unknown-template | not-started. `part`: subject, html, text or "".
    `words` name the mend and hold nothing of the variables' values."""

    code: str
    words: str
    part: str = ""
    line: int = 0
