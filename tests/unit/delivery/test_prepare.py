"""The message made ready for the wire: what is taken out, whatever its spelling, and who signs."""

import pytest

from carepost.crypto import dkim
from carepost.delivery.methods.tls import Preparer, Unready, seal
from carepost.directory.types import DkimKey, OrgSnapshot, SenderDomain
from carepost.ground.keys import PurposeKeys, WrongKey
from carepost.policy.types import Assurance
from carepost.rfc import message as rfc_message

pytestmark = pytest.mark.fast

ORG = b"willow-clinic-00"
KEYS = PurposeKeys.ephemeral()
HEAD = "From: nurse@willow.test\r\nTo: jane@there.test\r\nSubject: x\r\nMessage-ID: <a@willow.test>\r\n"


def pair(algorithm: str, selector: str, domain: str = "willow.test", keys: PurposeKeys = KEYS) -> DkimKey:
    private, _ = dkim.generate(algorithm)
    aad = b"dkim|" + ORG + b"|" + domain.encode() + b"|" + selector.encode()
    return DkimKey(selector, algorithm, keys.wrap("dkim", private, aad))


def snapshot(*keys: DkimKey, domain: str = "willow.test") -> OrgSnapshot:
    return OrgSnapshot(
        id=ORG, name="W", epoch=1, policy_version="1", notice_name="W", phone="", auditor="", portal_url="",
        portal_address="", floor=Assurance.VERIFIED, patience=1, rules=(), routes=(), keys={},
        domains=(SenderDomain(domain, keys),),
    )  # fmt: skip


def prepared(raw: str, *keys: DkimKey, header_from: str = "nurse@willow.test", **how: object) -> bytes:
    return Preparer(KEYS).prepare(b"m", raw.encode(), snapshot(*keys), header_from=header_from, **how).data  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [*sorted(n.decode() for n in rfc_message.REMOVED), "x-carepost-anything"])
@pytest.mark.parametrize("spell", [str.lower, str.upper, str.title])
def test_each_field_that_must_not_leave_is_taken_out_in_every_spelling(name: str, spell: object) -> None:
    """DESIGN 3: Bcc, triggers and secrets, addresses of clients."""
    field = f"{spell(name)}: secret\r\n\tfolded secret\r\n"  # type: ignore[operator]
    for raw in (field + HEAD, HEAD + field, HEAD + field + field.replace("secret", "second secret")):
        try:
            made = prepared(raw + "\r\nbody\r\n")
        except Unready:
            assert raw.lower().count("bcc:") > 1
            continue
        assert b"secret" not in made
        assert made == (HEAD + "\r\nbody\r\n").encode()


def test_a_message_that_is_all_header_is_stripped_too() -> None:
    assert b"secret" not in prepared(HEAD + "Bcc: secret@there.test\r\n")


def test_the_same_words_in_the_body_stay() -> None:
    raw = HEAD + "\r\nBcc: this is text\r\nX-Carepost-Note: this too\r\n"
    assert prepared(raw) == raw.encode()


def test_each_key_of_the_from_domain_signs_and_no_others() -> None:
    both = (pair(dkim.RSA, "r"), pair(dkim.ED25519, "e"))
    made = prepared(HEAD + "\r\nbody\r\n", *both)
    assert made.count(b"DKIM-Signature: ") == 2 and b"s=r;" in made and b"s=e;" in made
    assert b"DKIM-Signature" not in prepared(HEAD + "\r\nbody\r\n", *both, header_from="nurse@other.test")


def test_a_key_of_another_domain_or_keyring_signs_nothing() -> None:
    with pytest.raises(WrongKey):
        prepared(HEAD + "\r\nbody\r\n", pair(dkim.ED25519, "e", domain="other.test"))
    with pytest.raises(WrongKey):
        prepared(HEAD + "\r\nbody\r\n", pair(dkim.ED25519, "e", keys=PurposeKeys.ephemeral()))


def test_one_signature_is_shared_until_the_organisation_changes() -> None:
    preparer = Preparer(KEYS)
    raw = (HEAD + "\r\nbody\r\n").encode()
    found = snapshot(pair(dkim.ED25519, "e"))
    assert preparer.prepare(b"m", raw, found) is preparer.prepare(b"m", raw, found)
    moved = OrgSnapshot(**{f: getattr(found, f) for f in found.__struct_fields__} | {"epoch": 2})
    assert preparer.prepare(b"m", raw, moved) is not preparer.prepare(b"m", raw, found)
    assert preparer.prepare(b"n", raw, found, alone=True) is not preparer.prepare(b"n", raw, found, alone=True)


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("carepost.delivery.methods.tls.KEPT", 3)
    preparer = Preparer(KEYS)
    for number in range(10):
        preparer.prepare(str(number).encode(), (HEAD + "\r\nbody\r\n").encode(), snapshot())
    assert len(preparer._ready) == 3


def test_a_message_that_cannot_be_read_is_not_sent() -> None:
    with pytest.raises(Unready, match="cannot-be-prepared"):
        prepared("Subject: no sender\r\n\r\nbody\r\n", header_from="")
    with pytest.raises(Unready, match="too-many-hops"):
        prepared("Received: x\r\n" * 101 + HEAD + "\r\nbody\r\n", header_from="")


def test_an_envelope_with_a_line_break_is_never_sealed() -> None:
    ready = Preparer(KEYS).prepare(b"m", (HEAD + "\r\nbody\r\n").encode(), snapshot())
    with pytest.raises(Unready):
        seal(ready, floor=30, sender="a@b.test", recipient="c@d.test\r\nDATA", utf8=False)
