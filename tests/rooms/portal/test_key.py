"""A person's own key: given, proved by what only its holder reads, shown, taken back; and by nobody else."""

import re
import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from carepost.crypto.openpgp import keys as pgp
from carepost.crypto.openpgp import message as pgp_message
from carepost.crypto.openpgp.secret import PrivateKey
from carepost.crypto.smime import identity, opening
from carepost.crypto.smime.chain import TrustStore
from carepost.crypto.smime.identity import Identity
from carepost.crypto.smime.usable import Trust
from carepost.ground import clock
from carepost.keyring import acts, found, uploads
from carepost.keyring.models import RecipientKey, Upload
from carepost.rfc import mime
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire.found import Found
from tests.rooms.keyring.test_own_keys import pkcs12
from tests.rooms.portal.conftest import JANE
from tests.support.mailroom import KeptDoor, lay
from tests.support.outbox import office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)

PAGE = "/settings/key"
DAY = 86_400_000_000


def certificate(address: str = JANE) -> Identity:
    key = identity.generate("rsa-2048")
    return identity.load(
        identity.private_bytes(key), identity.self_signed(key, address, clock.now() - DAY).certificate.der
    )


def openpgp(address: str = JANE) -> PrivateKey:
    return pgp.generate([("Jane Quillfeather", address)])


def give(guest: Any, data: bytes, name: str = "key.pem") -> Any:
    return guest.post(PAGE, file=SimpleUploadedFile(name, data, "application/octet-stream"))


def mailed(door: KeptDoor, key: "Identity | PrivateKey") -> str:
    """The code, read as the key's holder reads it."""
    raw = door.taken[-1].body
    if isinstance(key, Identity):
        text = opening.open_(raw, [key], Trust(TrustStore()), clock.now()).message
    else:
        text = pgp_message.open_(raw, [key], [], at=clock.now()).message
    code = re.search(r"^(\d{8})\r?$", mime.read(text).text, re.MULTILINE)
    assert code, "no code in the mail"
    assert code[1].encode() not in raw, "it left encrypted"
    return code[1]


@pytest.mark.parametrize("kind", ["smime", "openpgp"])
def test_a_key_is_given_and_proved_by_a_code_that_only_its_holder_reads(
    maple: Organisation, guest: Any, door: KeptDoor, kind: str
) -> None:
    guest.enter(lay(maple))
    assert "None. Messages come to these pages" in guest.get(PAGE).content.decode()
    key: Any = certificate() if kind == "smime" else openpgp()
    answer = give(guest, key.certificate.der if kind == "smime" else pgp.armored(key.certificate))
    assert answer.status_code == 302, answer.content.decode()
    code = mailed(door, key)
    assert door.taken[-1].envelope.recipients[0].address == JANE
    page = guest.get(PAGE).content.decode()
    assert "Prove that this key is yours" in page and "5 tries left" in page
    assert not office_events("keyring.key-found"), "nothing is believed before the proof"
    wrong = guest.post(f"{PAGE}/code", PAGE, code="12345678" if code != "12345678" else "87654321")
    assert wrong.status_code == 422 and "4 tries left" in wrong.content.decode()
    done = guest.post(f"{PAGE}/code", PAGE, code=f" {code[:4]} {code[4:]} ")
    assert (done.status_code, done.headers["Location"]) == (302, f"{PAGE}?done=proved")
    (event,) = office_events("keyring.key-found")
    assert (event.facts, event.actor.kind) == ({"method": kind, "source": "recipient"}, "recipient")
    assert JANE not in str(event)


def test_what_the_portal_told_is_laid_in_shown_and_taken_back(maple: Organisation, guest: Any, door: KeptDoor) -> None:
    guest.enter(lay(maple))
    key = openpgp()
    one = Found(
        JANE, "openpgp", "recipient", key.certificate.raw, key.certificate.fingerprint,
        key.certificate.encrypts_until or 0, vouched=True,
    )  # fmt: skip
    assert found.take(maple.pk, one) == "new"
    page = guest.get(PAGE).content.decode()
    assert "You gave it here." in page and "Take it back" in page
    with scope.organisation(maple.pk):
        row = RecipientKey.objects.get(org=maple)
    taken = guest.post(f"{PAGE}/{row.pk}/remove", PAGE)
    assert taken.headers["Location"] == f"{PAGE}?done=removed"
    (event,) = office_events("keyring.key-withdrawn")
    assert event.on == [str(row.pk)]
    assert found.withdraw(maple.pk, row.pk) is True
    assert found.withdraw(maple.pk, row.pk) is False, "once"
    assert "None. Messages come to these pages" in guest.get(PAGE).content.decode()
    # the owner may give it again; a place where it is still published may not
    assert found.take(maple.pk, Found(**{**_fields(one), "source": "wkd"})) == "ignored"
    assert found.take(maple.pk, one) == "new"


def _fields(one: Found) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


def test_the_owner_may_change_the_own_key_but_not_what_an_administrator_vouches_for(maple: Organisation) -> None:
    """BI-072: pinned stays pinned; mail is held."""

    def given() -> Found:
        known = openpgp().certificate
        return Found(JANE, "openpgp", "recipient", known.raw, known.fingerprint, 0, vouched=True)

    assert found.take(maple.pk, given()) == "new"
    assert found.take(maple.pk, given()) == "used"
    acts.add_key(maple.pk, JANE, pgp.armored(openpgp().certificate), actor=BOOTSTRAP, reason="by telephone")
    assert found.take(maple.pk, given()) == "changed"


def test_five_megabytes_pasted_are_called_too_large(maple: Organisation, guest: Any) -> None:
    guest.enter(lay(maple))
    answer = guest.post(PAGE, text="x" * 5_000_000)
    assert answer.status_code == 400
    assert "larger than this page takes" in answer.content.decode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"hello", "Export it from your mail program anew"),
        (b"", "Choose the file"),
        (b"other", "not for this address"),
        (b"other", "Ask whoever made your key for one that fits"),
        (b"private", "This file holds your private key"),
        (b"p12", "This file holds your private key"),
        (b"der", "This file holds your private key"),
        (b"x" * 600_000, "too large"),
    ],
    ids=["nothing", "empty", "of another", "what to do", "private", "PKCS#12", "PKCS#8", "large"],
)
def test_what_is_no_key_of_this_person_is_refused_in_words(
    maple: Organisation, guest: Any, door: KeptDoor, data: bytes, said: str
) -> None:
    """BI-071."""
    guest.enter(lay(maple))
    given = {
        b"other": lambda: pgp.armored(openpgp("eve@elsewhere.test").certificate),
        b"private": lambda: pgp.export(openpgp()),
        b"p12": lambda: pkcs12(JANE),
        b"der": lambda: identity.private_bytes(identity.generate("ec-p256")),
    }.get(data, lambda: data)()
    mails = len(door.taken)
    answer = give(guest, given) if given else guest.post(PAGE, text=" ")
    assert answer.status_code in (413, 422)
    assert said in answer.content.decode()
    assert len(door.taken) == mails and not Upload.objects.count()


def test_tries_and_uploads_are_counted(maple: Organisation, guest: Any, door: KeptDoor) -> None:
    guest.enter(lay(maple))
    key = openpgp()
    give(guest, pgp.armored(key.certificate))
    code = mailed(door, key)
    wrong = "00000001" if code != "00000001" else "00000002"
    for _ in range(uploads.TRIES):
        answer = guest.post(f"{PAGE}/code", PAGE, code=wrong)
    assert "does not work any more" in answer.content.decode()
    assert guest.post(f"{PAGE}/code", PAGE, code=code).status_code == 422, "the right one comes too late"
    for _ in range(uploads.MOST - 1):
        give(guest, pgp.armored(key.certificate))
        guest.post(f"{PAGE}/stop", PAGE)
    many = give(guest, pgp.armored(key.certificate))
    assert many.status_code == 429 and "in an hour" in many.content.decode()
    assert not office_events("keyring.key-found")


def test_a_stranger_and_the_person_of_another_clinic_reach_nothing(
    maple: Organisation, harbour: Organisation, guest: Any, door: KeptDoor
) -> None:
    assert guest.get(PAGE).status_code == 401
    guest.enter(lay(maple))
    theirs = openpgp()
    one = Found(JANE, "openpgp", "recipient", theirs.certificate.raw, theirs.certificate.fingerprint, 0, vouched=True)
    found.take(harbour.pk, one)
    with scope.organisation(harbour.pk):
        row = RecipientKey.objects.get(org=harbour)
    assert "None. Messages come to these pages" in guest.get(PAGE).content.decode()
    assert guest.post(f"{PAGE}/{row.pk}/remove", PAGE).status_code == 404
    assert guest.post(f"{PAGE}/{uuid.uuid4()}/remove", PAGE).status_code == 404
    pinned = acts.add_key(maple.pk, JANE, pgp.armored(openpgp().certificate), actor=BOOTSTRAP, reason="by telephone")
    page = guest.get(PAGE).content.decode()
    assert "The office handed it in." in page and "Take it back" not in page
    assert guest.post(f"{PAGE}/{pinned.pk}/remove", PAGE).status_code == 404
    assert not office_events("keyring.key-withdrawn")


def test_a_busy_engine_leaves_nothing_half_done(maple: Organisation, guest: Any, door: KeptDoor) -> None:
    guest.enter(lay(maple))
    door.closed = True
    answer = give(guest, pgp.armored(openpgp().certificate))
    assert answer.status_code == 503 and "try again" in answer.content.decode()
    assert "Prove that this key" not in guest.get(PAGE).content.decode()


def test_looking_changes_nothing_and_is_on_record(maple: Organisation, guest: Any, door: KeptDoor) -> None:
    """Laws 7 and 11."""
    guest.enter(lay(maple))
    mails = len(door.taken)
    for path in (PAGE, f"{PAGE}/code", f"{PAGE}/stop"):
        guest.get(path)
    assert len(door.taken) == mails and not Upload.objects.count()
    assert len(office_events("keyring.own-keys-viewed")) == 1
