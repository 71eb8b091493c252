"""What a sender agreed with a recipient: an access code, or a question and its answer. What is kept is a slow hash."""

from typing import Final

from carepost.crypto import slowhash
from carepost.ground.errors import Refused
from carepost.policy.types import Access
from carepost.wire.types import AccessProof

#: characters
LONGEST_CODE: Final = 128
LONGEST_QUESTION: Final = 255


def check(code: str, question: str, answer: str) -> None:
    """Raises Refused (422) unless it is one code, or one question with its answer."""
    if bool(code) == bool(question or answer) or bool(question) != bool(answer):
        raise _refused("Give an access code, or a question and its answer.")
    if len(code) > LONGEST_CODE or len(answer) > LONGEST_CODE or len(question) > LONGEST_QUESTION:
        raise _refused("An access code or answer has at most 128 characters, a question at most 255.")
    if not slowhash.normalise(code or answer):
        raise _refused("An access code or answer must not be blank.")


def proof(code: str, question: str, answer: str, *, late: bool = False) -> AccessProof:
    """Checked and hashed: 50-100 ms of processor time. `late`: as `AccessProof.late`. Raises Refused (422)."""
    check(code, question, answer)
    if code:
        return AccessProof(Access.CODE, "", slowhash.make(code), late)
    return AccessProof(Access.QUESTION, question, slowhash.make(answer), late)


def _refused(sentence: str) -> Refused:
    return Refused("access", sentence, enhanced="5.6.0", status=422)
