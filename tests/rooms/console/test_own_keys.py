"""The organisation's own keys in the console: made, looked at, brought in, rotated, revoked, given out."""

import io
import re
import uuid
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from django.test import Client

from carepost.console import house
from carepost.crypto.openpgp import secret
from carepost.keyring import authorities, issuing, own_acts
from carepost.keyring.models import OwnKey
from carepost.policy.types import Method
from carepost.tenancy import scope
from carepost.tenancy.actions import domains
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP
from tests.rooms.keyring.test_own_keys import certify, pem, pkcs12
from tests.support.desk import code_now
from tests.support.mailroom import KeptDoor
from tests.support.outbox import office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)

BEA = "bea@keys.test"


@pytest.fixture
def http(maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor) -> Client:
    domains.add_domain(maple.pk, "keys.test", actor=BOOTSTRAP)
    return at_desk("administrator")


def post(http: Client, path: str, **fields: Any) -> Any:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get("/our-keys/new").content.decode())
    assert found is not None
    return http.post(path, {"csrfmiddlewaretoken": found[1], **fields})


def file(data: bytes, name: str) -> io.BytesIO:
    made = io.BytesIO(data)
    made.name = name
    return made


def rows(org: Organisation) -> list[OwnKey]:
    with scope.organisation(org.pk):
        return list(OwnKey.objects.filter(org=org).order_by("pk"))


def page(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_key_is_made_shown_given_out_and_rotated(maple: Organisation, http: Client) -> None:
    assert "No keys yet" in page(http.get("/our-keys"))
    wrong = post(http, "/our-keys/new", address="eve@elsewhere.test", kind="smime:ec-p256", reason="r")
    assert wrong.status_code == 422 and "sender domains" in page(wrong)
    assert post(http, "/our-keys/new", address=BEA, kind="smime:ec-p256", reason="").status_code == 422
    made = post(http, "/our-keys/new", address=BEA, kind="smime:ec-p256", name="Bea Sample", reason="her first")
    (row,) = rows(maple)
    assert made.headers["Location"] == f"/our-keys/{row.pk}"
    shown = page(http.get(f"/our-keys/{row.pk}"))
    for said in (BEA, "In use", "It signs encrypted mail of this address, and opens what comes.", "made here"):
        assert said in shown, said
    assert "keys.test" not in re.findall("<title>(.*?)</title>", shown)[0]
    given = post(http, f"/our-keys/{row.pk}/export")
    assert given.content.startswith(b"-----BEGIN CERTIFICATE") and "keys.test" not in given["Content-Disposition"]
    assert post(http, f"/our-keys/{row.pk}/rotate").status_code == 422, "a reason is asked for"
    post(http, f"/our-keys/{row.pk}/rotate", reason="yearly")
    old, new = rows(maple)
    assert (old.state, new.state) == ("retired", "active")
    assert "Only opens" in page(http.get("/our-keys"))
    post(http, f"/our-keys/{new.pk}/sign-all", reason="asked for", always="on")
    assert "all mail" in page(http.get("/our-keys"))
    post(http, f"/our-keys/{new.pk}/revoke", reason="lost")
    assert "Tell the authority" in page(http.get(f"/our-keys/{new.pk}"))
    assert len(office_events("keyring.own-key-revoked")) == 1


#: the steps of a key in use, and the button of each
STEPS = {
    "rotate": "Make the new key", "sign-all": "Sign all mail", "certify": "Certify it", "install": "Install it",
    "take-out": "Confirm with your second factor first", "keep-in": "Never give it out", "revoke": "Revoke for good",
}  # fmt: skip


def test_a_key_is_looked_at_with_one_main_act_and_each_other_has_a_page_with_one_reason(
    maple: Organisation, http: Client
) -> None:
    authorities.make_authority(maple.pk, actor=BOOTSTRAP, reason="r", algorithm="ec-p384", where="http://p.keys.test")
    key = own_acts.generate_key(maple.pk, BEA, method=Method.SMIME, actor=BOOTSTRAP, reason="r", algorithm="ec-p256")
    shown = page(http.get(f"/our-keys/{key.pk}"))
    assert shown.count("btn-primary") == 1 and 'name="reason"' not in shown and "btn-danger" not in shown
    for step, button in STEPS.items():
        assert f'href="/our-keys/{key.pk}/{step}"' in shown, step
        text = page(http.get(f"/our-keys/{key.pk}/{step}"))
        assert text.count("btn-primary") + text.count("btn-danger") == 1, step
        assert text.count('name="reason"') == (0 if step == "take-out" else 1), step
        assert f">{button}</button>" in text, step
        assert "keys.test" not in re.findall("<title>(.*?)</title>", text)[0]
    assert len(rows(maple)) == 1 and rows(maple)[0].state == "active", "looking does nothing"
    own_acts.revoke_key(maple.pk, key.pk, actor=BOOTSTRAP, reason="r")
    for step, button in STEPS.items():
        text = page(http.get(f"/our-keys/{key.pk}/{step}"))
        assert "this cannot be done" in text and f">{button}</button>" not in text, step


def test_a_key_is_replaced_by_whom_and_for_how_long_it_goes_on_opening(maple: Organisation, http: Client) -> None:
    key = own_acts.generate_key(maple.pk, BEA, method=Method.SMIME, actor=BOOTSTRAP, reason="r", algorithm="ec-p256")
    assert "Our own authority" not in page(http.get(f"/our-keys/{key.pk}/rotate"))
    assert post(http, f"/our-keys/{key.pk}/rotate", by="ours", reason="r").status_code == 422
    assert post(http, f"/our-keys/{key.pk}/rotate", by="here", overlap="30", reason="r").status_code == 302
    old, new = rows(maple)
    assert old.state == "retired" and round((old.until - new.made_at) / 86_400_000_000) == 30
    assert post(http, f"/our-keys/{new.pk}/rotate", by="request", reason="r").status_code == 302
    assert rows(maple)[2].state == "waiting"
    authorities.make_authority(maple.pk, actor=BOOTSTRAP, reason="r", algorithm="ec-p384", where="http://p.keys.test")
    there = post(http, f"/our-keys/{new.pk}/rotate", by="ours", reason="r").headers["Location"]
    assert "our own authority</a>; it is renewed by itself" in page(http.get(there))


def test_a_request_goes_out_and_the_certificate_comes_in(maple: Organisation, http: Client) -> None:
    post(http, "/our-keys/new", address=BEA, kind="smime:ec-p256", by="request", reason="from our authority")
    (row,) = rows(maple)
    assert "Waits for its certificate" in page(http.get(f"/our-keys/{row.pk}"))
    request = x509.load_pem_x509_csr(post(http, f"/our-keys/{row.pk}/export", part="request").content)
    wrong = post(http, f"/our-keys/{row.pk}/install", file=file(b"nothing", "x.pem"), reason="r")
    assert wrong.status_code == 422
    post(http, f"/our-keys/{row.pk}/install", file=file(pem(certify(request)), "x.pem"), reason="it came")
    (row,) = rows(maple)
    assert row.state == "active" and "by an authority" in page(http.get(f"/our-keys/{row.pk}"))


def test_a_file_is_looked_at_and_only_then_taken(maple: Organisation, http: Client) -> None:
    data = pkcs12(BEA)

    def sent(**more: Any) -> Any:
        given = {"file": file(data, "bea.p12"), "passphrase": "correct horse battery", "reason": "hers"} | more
        return post(http, "/our-keys/import", **given)

    looked = page(sent(do="look"))
    assert "This would be taken in" in looked and BEA in looked and "correct horse" not in looked
    assert rows(maple) == []
    wrong = sent(do="take", passphrase="another")
    assert wrong.status_code == 422 and "password is wrong" in page(wrong)
    taken = sent(do="take")
    (row,) = rows(maple)
    assert taken.headers["Location"] == f"/our-keys/{row.pk}"
    with scope.organisation(maple.pk):
        assert own_acts.opened(row).address == BEA


def test_only_who_keeps_the_keyring_sees_them(at_desk: Callable[..., Client], door: KeptDoor) -> None:
    http = at_desk("operator")
    nobody = uuid.uuid4()
    steps = [f"/our-keys/{nobody}/{step}" for step in STEPS]
    for path in ("/our-keys", "/our-keys/new", "/our-keys/import", f"/our-keys/{nobody}", *steps):
        assert http.get(path).status_code == 404, path
    keeper = at_desk("administrator")
    for path in (f"/our-keys/{nobody}", *steps):
        assert keeper.get(path).status_code == 404, path


def test_the_private_part_is_taken_out_only_behind_a_fresh_second_factor_and_shown_once(
    http: Client, maple: Organisation, door: KeptDoor
) -> None:
    key = own_acts.generate_key(
        maple.pk, BEA, method=Method.OPENPGP, actor=BOOTSTRAP, reason="first", algorithm="curve25519"
    )
    page = http.get(f"/our-keys/{key.pk}/take-out").content.decode()
    assert "Confirm with your second factor first" in page and "Reason" not in page
    answer = post(http, f"/our-keys/{key.pk}/take-out", reason="her laptop")
    there = answer.headers["Location"]
    assert (answer.status_code, there[:27]) == (302, "/sign-in/confirm-code?next=")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get(there).content.decode())
    assert token is not None
    back = http.post(there, {"csrfmiddlewaretoken": token[1], "code": code_now()})
    assert (back.status_code, back.headers["Location"]) == (302, f"/our-keys/{key.pk}/take-out")
    assert "Reason (kept with the event)" in http.get(f"/our-keys/{key.pk}/take-out").content.decode()
    taken = post(http, f"/our-keys/{key.pk}/take-out", reason="her laptop")
    page = taken.content.decode()
    assert (taken.status_code, taken.headers["Cache-Control"]) == (200, "no-store")
    link = re.search(r'href="data:application/pgp-keys;base64,([^"]+)"', page)
    word = re.search(r"data-passphrase>([a-z0-9-]{35}) ", page)
    assert link is not None and word is not None
    raw = b64decode(link[1].replace("&#x2B;", "+").replace("&#x3D;", "="))
    assert secret.load(raw, word[1]).certificate.addresses == (BEA,)
    (event,) = office_events("keyring.own-key-taken-out")
    assert event.actor.kind == "staff" and "reason" in event.commit
    assert post(http, f"/our-keys/{key.pk}/keep-in", reason="board").status_code == 302
    assert "take the private key out" not in http.get(f"/our-keys/{key.pk}").content.decode()
    assert post(http, f"/our-keys/{key.pk}/take-out", reason="again").status_code == 409


def test_the_organisation_becomes_its_own_authority_and_certifies_its_keys(
    http: Client, at_desk: Callable[..., Client], maple: Organisation
) -> None:
    assert "No authority yet" in http.get("/our-keys/authority").content.decode()
    assert "Our own authority:" not in http.get("/our-keys/new").content.decode()
    made = {"kind": "ec-p384", "where": "http://portal.maple.test", "reason": "partners ask for it"}
    there = post(http, "/our-keys/authority", **made).headers["Location"]
    assert there.startswith("/sign-in/confirm-code?next="), "first a second factor"
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get(there).content.decode())
    assert token is not None
    assert http.post(there, {"csrfmiddlewaretoken": token[1], "code": code_now()}).status_code == 302
    assert post(http, "/our-keys/authority", **made | {"where": "portal"}).status_code == 422
    assert post(http, "/our-keys/authority", **made).status_code == 302
    with scope.organisation(maple.pk):
        row = issuing.needed(maple.pk)
    text = http.get("/our-keys/authority").content.decode()
    assert "Issues</span>" in text and f"http://portal.maple.test/ca/{maple.pk}/{row.pk}.crl" in text
    given = post(http, f"/our-keys/authority/{row.pk}/export")
    assert given.content == issuing.own(row).pem() and "filename=" in given.headers["Content-Disposition"]
    asked = {"address": BEA, "kind": "smime:ec-p256", "by": "ours", "reason": "r"}
    assert post(http, "/our-keys/new", **asked | {"kind": "openpgp:curve25519"}).status_code == 422
    link = post(http, "/our-keys/new", **asked).headers["Location"]
    assert "our own authority" in http.get(link).content.decode()
    plain = own_acts.generate_key(
        maple.pk, BEA, method=Method.SMIME, actor=BOOTSTRAP, reason="r", algorithm="ec-p256", shared=True
    )
    assert "Let our own authority certify it" in http.get(f"/our-keys/{plain.pk}").content.decode()
    assert post(http, f"/our-keys/{plain.pk}/certify", reason="ours").status_code == 302
    assert "our own authority" in http.get(f"/our-keys/{plain.pk}").content.decode()
    assert post(http, f"{link}/revoke", reason="lost", cause="key-compromise").status_code == 302
    assert "list says so to everyone who asks" in http.get(link).content.decode()
    assert "1 revoked" in http.get("/our-keys/authority").content.decode()
    assert post(http, f"/our-keys/authority/{row.pk}/end", reason="done").status_code == 302
    assert "Issues nothing more</span>" in http.get("/our-keys/authority").content.decode()
    other = at_desk("operator")
    assert other.get("/our-keys/authority").status_code == 404
    for path in ("", f"/{row.pk}/end", f"/{row.pk}/export"):
        assert other.post(f"/our-keys/authority{path}", {"reason": "r"}).status_code in (403, 404)


def test_what_ends_soon_stands_on_the_overview_and_on_its_own_page(
    maple: Organisation, http: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house, "look", lambda _: house.House((), (), (("accepted", 40_000, "plain"),), 0))
    overview = http.get("/").content.decode()
    assert "Our keys</span>" not in overview and "<b>40,000</b>" in overview
    authorities.make_authority(
        maple.pk, actor=BOOTSTRAP, reason="r", algorithm="ec-p384", days=20, where="http://portal.keys.test"
    )
    one = own_acts.generate_key(
        maple.pk, BEA, method=Method.SMIME, algorithm="ec-p256", days=9, actor=BOOTSTRAP, reason="r"
    )
    text = " ".join(http.get("/").content.decode().split())
    assert "Our keys</span> 2 of your organisation’s own keys and authorities ran out, or end within 30 days." in text
    assert "Issues, ends soon" in http.get("/our-keys/authority").content.decode()
    own_acts.revoke_key(maple.pk, one.pk, actor=BOOTSTRAP, reason="r")
    text = " ".join(http.get("/").content.decode().split())
    assert "1 of your organisation’s own keys and authorities ran out, or ends within" in text
