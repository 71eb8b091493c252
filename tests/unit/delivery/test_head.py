"""The header the door has read goes with a delivery that follows at once, where S/MIME takes it apart."""

import pytest

from carepost.crypto.smime import identity
from carepost.ground import clock
from carepost.policy.types import Assurance, Method, Rule
from carepost.queue.types import Claim, MessageRecord
from carepost.rfc import message as rfc_message
from carepost.wire.types import Origin
from tests.support.delivering import body
from tests.support.keyed_clinic import Clinic
from tests.support.mailhost import Ca

PAT, KAI = "pat@home.test", "kai@home.test"
ENCRYPTED = Rule("encrypted", methods=(Method.SMIME,), floor=Assurance.MESSAGE)
PERSON = identity.self_signed(identity.generate("ec-p256"), PAT, clock.now() - 86_400_000_000, days=9)


class Taker:
    """Takes what is due at acceptance, and carries nothing out."""

    def __init__(self) -> None:
        self.taken: list[tuple[Claim, bytes]] = []

    def reserve(self, destination: bytes) -> bool:
        return True

    def cancel(self, destination: bytes) -> None:
        raise AssertionError("not accepted")

    def take(self, claim: Claim, message: MessageRecord, raw: bytes) -> None:
        self.taken.append((claim, raw))


@pytest.mark.parametrize("extra", ["", "Bcc: kai@home.test\r\n"], ids=["as it came", "changed at the door"])
async def test_it_is_the_header_of_these_very_octets_or_none(extra: str) -> None:
    async with Clinic({}, {}, Ca(), rules=(ENCRYPTED,), worker=False) as house:
        house.knows(PAT, PERSON)
        house.queue.taker = taker = Taker()
        await house.submit(PAT, raw=body(extra=extra), origin=Origin.SMTP, via="ESMTPSA", client="127.0.0.1")
        house.change(rules=())
        await house.submit(KAI, raw=body(), via="ESMTPSA")
        (claim, raw), (clear, _) = taker.taken
        assert claim.worked is not None and clear.worked is not None
        # who takes nothing apart does not keep it either
        assert clear.worked.head is None
        head = claim.worked.head
        assert (head is None) == bool(extra)
        if head is not None:
            assert raw.startswith(b"Received:") and head.heads(raw)
            assert rfc_message.read(raw[head.at :]).fields == head.read.fields
        house.queue.taker = None
