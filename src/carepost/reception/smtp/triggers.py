"""What an authenticated submitter asks for in header fields, taken out of the message before it is stored.

`X-Carepost-Access-Code`, or `X-Carepost-Question` with `X-Carepost-Answer`: agreed with the recipient beforehand.
`X-Carepost-Minimum`: the weakest protection the sender accepts. `X-Carepost-Reason` stays for the door. A misspelt
field of ours is refused, so that no secret travels and no protection is silently missing.
"""

import re

import msgspec

from carepost.ground.errors import Refused
from carepost.policy.types import Assurance
from carepost.rfc import message, words
from carepost.wire.rest import Minimum

_PREFIX = b"x-carepost-"
_CODE, _QUESTION, _ANSWER = b"x-carepost-access-code", b"x-carepost-question", b"x-carepost-answer"
_MINIMUM = b"x-carepost-minimum"
#: taken out here
_TAKEN = frozenset({_CODE, _QUESTION, _ANSWER, _MINIMUM})
#: read by the door where a rule asks for it, kept sealed, and never sent (`intake.asked`)
_KNOWN = _TAKEN | {b"x-carepost-reason"}
_ANY = re.compile(rb"^x-carepost-", re.IGNORECASE | re.MULTILINE)


class Asked(msgspec.Struct, frozen=True):
    minimum: Assurance | None = None
    code: str = ""
    question: str = ""
    answer: str = ""

    @property
    def access(self) -> bool:
        return bool(self.code or self.question or self.answer)


def present(body: bytes) -> bool:
    """A quick look at the header section."""
    end = body.find(b"\r\n\r\n")
    head = body[:end] if end >= 0 else body
    return _PREFIX in head.lower() and _ANY.search(head) is not None


def take(body: bytes) -> tuple[Asked, bytes]:
    """What is asked for, and the message without it. Raises Refused; MessageError for a header that cannot be read."""
    read = message.read(body)
    ours = [name for name in read.first if name.startswith(_PREFIX)]
    if any(name not in _KNOWN for name in ours):
        raise _refused("A header field that begins with X-Carepost- is not known. Correct its name or remove it.")
    if any(len(read.all(name.decode())) > 1 for name in ours):
        raise _refused("A header field that begins with X-Carepost- appears twice. Give it once.")
    minimum = _value(read, _MINIMUM)
    asked = Asked(
        _minimum(minimum) if minimum else None, _value(read, _CODE), _value(read, _QUESTION), _value(read, _ANSWER)
    )
    return asked, message.rewrite(body, read, drop=_TAKEN.intersection(ours))


def _value(read: message.Message, name: bytes) -> str:
    return words.decode(read.get(name.decode()) or "")


def _minimum(text: str) -> Assurance:
    try:
        return Minimum(text).assurance
    except ValueError:
        known = ", ".join(Minimum)
        raise _refused(f"X-Carepost-Minimum must be one of {known}.") from None


def _refused(sentence: str) -> Refused:
    return Refused("trigger", sentence, enhanced="5.6.0", status=422)
