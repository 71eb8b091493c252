"""The organisation's own keys and its authority by API: made, brought in, certified, rotated, revoked, read; what asks
for a person; other scopes and other organisations; the client's calls against the same views."""

import base64
import uuid
from typing import Any

import msgspec
import pytest
from cryptography import x509

from carepost.client import asked_keys
from carepost.client.calls import Reply
from carepost.crypto.smime import identity
from carepost.ground import clock
from carepost.keyring import authorities
from carepost.keyring.models import OwnKey
from carepost.tenancy.permissions import COMMAND_LINE
from tests.rooms.keyring.test_own_keys import certify, pem, pkcs12
from tests.rooms.tenancy.conftest import eyes
from tests.support.outbox import office_events

__all__ = ["eyes"]

pytestmark = pytest.mark.django_db(databases=["default", "records"])

NORA, OFFICE = "nora@maple.test", "office@maple.test"
WHY = {"reason": "yearly"}
QUICK = {"algorithm": "ec-p256", **WHY}


@pytest.fixture
def authority(cast: Any) -> str:
    made = authorities.make_authority(
        uuid.UUID(bytes=cast.maple), actor=COMMAND_LINE, reason="partners trust us", algorithm="ec-p384",
        where="http://portal.maple.test",
    )  # fmt: skip
    return str(made.pk)


def kinds() -> list[tuple[str, str]]:
    """What is on record of the keyring: (kind, whose act)."""
    told = ("made", "changed", "viewed", "exported", "revoked", "taken-out")
    names = [*(f"keyring.own-key-{one}" for one in told), "keyring.own-keys-listed"]
    return [(one.kind, one.actor.kind) for name in names for one in office_events(name)]


def test_a_key_is_made_shown_rotated_and_revoked_and_each_step_is_on_record(machine: Any) -> None:
    asking = machine("own-keys")
    made = asking.post("/own-keys", {"address": " nora@Maple.test", **QUICK})
    assert made.status_code == 201
    row = made.json()
    assert (row["address"], row["method"], row["state"], row["signs"]) == (NORA, "smime", "active", True)
    assert asking.get(f"/own-keys/{row['id']}").json() == row
    part = asking.get(f"/own-keys/{row['id']}/public").json()
    assert x509.load_pem_x509_certificate(part["text"].encode()) and NORA not in part["name"]
    always = asking.post(f"/own-keys/{row['id']}/sign-all", {"always": True, **WHY})
    assert (always.status_code, always.json()["always"]) == (200, True)
    new = asking.post(f"/own-keys/{row['id']}/rotate", {"overlap": 3, **WHY})
    assert (new.status_code, new.json()["state"], new.json()["always"]) == (201, "active", True)
    assert asking.get(f"/own-keys/{row['id']}").json()["state"] == "retired"
    assert asking.post(f"/own-keys/{row['id']}/rotate", WHY).status_code == 409
    gone = asking.post(f"/own-keys/{new.json()['id']}/revoke", {"cause": "key-compromise", **WHY})
    assert (gone.status_code, gone.json()["state"]) == (200, "revoked")
    listed = asking.get("/own-keys", limit="1").json()
    rest = asking.get("/own-keys", cursor=listed["cursor"]).json()
    assert [one["id"] for one in listed["own_keys"] + rest["own_keys"]] == [new.json()["id"], row["id"]]
    assert rest["cursor"] == "" and ("keyring.own-key-revoked", "key") in kinds()
    told = [kind for kind, _ in kinds()]
    for kind in ("made", "changed", "viewed", "exported"):
        assert f"keyring.own-key-{kind}" in told
    assert "keyring.own-keys-listed" in told


def test_openpgp_and_a_key_that_waits_for_another_authority(machine: Any) -> None:
    asking = machine("own-keys")
    pgp = asking.post("/own-keys", {"address": NORA, "method": "openpgp", **WHY}).json()
    assert asking.get(f"/own-keys/{pgp['id']}/public").json()["text"].startswith("-----BEGIN PGP PUBLIC KEY BLOCK")
    assert asking.get(f"/own-keys/{pgp['id']}/public", part="request").status_code == 409
    waits = asking.post("/own-keys", {"address": OFFICE, "shared": True, "certified_by": "another", **QUICK}).json()
    assert (waits["state"], waits["has_request"]) == ("waiting", True)
    assert asking.get(f"/own-keys/{waits['id']}/public").status_code == 409
    request = asking.get(f"/own-keys/{waits['id']}/public", part="request").json()["text"]
    theirs = pem(certify(x509.load_pem_x509_csr(request.encode()))).decode()
    wrong = asking.post(f"/own-keys/{pgp['id']}/install", {"certificate": theirs, **WHY})
    assert wrong.status_code == 409
    done = asking.post(f"/own-keys/{waits['id']}/install", {"certificate": theirs, **WHY})
    assert (done.status_code, done.json()["state"], done.json()["vouched"]) == (200, "active", True)


def test_pkcs12_is_tried_then_taken_and_its_passphrase_is_repeated_nowhere(machine: Any) -> None:
    asking = machine("own-keys")
    file = base64.b64encode(pkcs12(NORA)).decode()
    given = {"file": file, "passphrase": "correct horse battery", "reason": "from the old system"}
    tried = asking.post("/own-keys/import", given | {"dry_run": True})
    assert (tried.status_code, tried.json()["address"], tried.json()["id"]) == (200, NORA, "")
    assert OwnKey.objects.count() == 0
    taken = asking.post("/own-keys/import", given)
    assert taken.status_code == 201 and taken.json()["fingerprint"] == tried.json()["fingerprint"]
    assert asking.get(f"/own-keys/{taken.json()['id']}").json()["source"] == "pkcs12"
    assert asking.post("/own-keys/import", given).status_code == 409, "it is here already"
    for wrong in (
        given | {"passphrase": "another one"}, given | {"file": "AAAA"}, given | {"file": "no base64!"},
        given | {"passphrase": 7}, given | {"more": 1},
    ):  # fmt: skip
        answer = asking.post("/own-keys/import", wrong)
        assert answer.status_code == 422, answer.content
        assert b"correct horse" not in answer.content and b"another one" not in answer.content
    elsewhere = base64.b64encode(pkcs12("eve@elsewhere.test")).decode()
    assert asking.post("/own-keys/import", given | {"file": elsewhere}).json()["type"].endswith(":key-address")


def test_the_authority_certifies_renews_and_says_where_its_list_is(machine: Any, authority: str, cast: Any) -> None:
    asking = machine("own-keys")
    row = asking.post("/own-keys", {"address": NORA, "certified_by": "authority", **QUICK}).json()
    assert (row["ours"], row["vouched"], row["state"]) == (True, True, "active")
    (shown,) = asking.get("/authorities").json()["authorities"]
    assert asking.get(f"/authorities/{authority}").json() == shown
    base = f"http://portal.maple.test/ca/{uuid.UUID(bytes=cast.maple)}/{authority}"
    assert (shown["list_url"], shown["certificate_url"]) == (f"{base}.crl", f"{base}.cer")
    assert (shown["state"], shown["held"], shown["domains"]) == ("active", 1, ["maple.test"])
    fresh = asking.post(f"/own-keys/{row['id']}/rotate", {"certified_by": "authority", **WHY}).json()
    assert (fresh["ours"], fresh["state"], asking.get(f"/own-keys/{row['id']}").json()["state"]) == (
        True, "active", "retired",
    )  # fmt: skip
    again = asking.post(f"/own-keys/{fresh['id']}/certify", {"days": 300, **WHY}).json()
    assert again["id"] == fresh["id"] and again["fingerprint"] != fresh["fingerprint"] and again["ours"]
    number = asking.get(f"/authorities/{authority}").json()["list_number"]
    assert asking.post(f"/authorities/{authority}/list", {}).json()["list_number"] == number + 1
    ca = asking.get(f"/authorities/{authority}/certificate").json()["text"]
    assert x509.load_pem_x509_certificate(ca.encode()).subject
    assert asking.post(f"/authorities/{authority}/end", WHY).json()["state"] == "retired"
    refused = asking.post("/own-keys", {"address": OFFICE, "certified_by": "authority", **QUICK})
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (409, "no-authority")
    assert asking.post("/own-keys", {
        "address": NORA, "certified_by": "authority", "method": "openpgp", **WHY,
    }).status_code == 422  # fmt: skip


def test_private_parts_and_new_authorities_ask_for_a_person_and_say_where(machine: Any) -> None:
    asking = machine()
    row = asking.post("/own-keys", {"address": NORA, **QUICK}).json()
    for path, named in ((f"/own-keys/{row['id']}/take-out", "console"), ("/authorities", "carepost authority make")):
        answer = asking.post(path, {"reason": "please"})
        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (403, "person-needed")
        assert named in answer.json()["detail"] and "second factor" in answer.json()["detail"]
    assert authorities.authorities(OwnKey.objects.get().org_id, COMMAND_LINE) == ()
    assert "keyring.own-key-taken-out" not in [kind for kind, _ in kinds()]
    kept = asking.post(f"/own-keys/{row['id']}/keep-in", WHY)
    assert (kept.status_code, kept.json()["exportable"]) == (200, False)
    assert "private" not in kept.content.decode().lower()


def test_strangers_and_other_organisations_see_and_change_nothing(machine: Any, cast: Any, authority: str) -> None:
    row = machine("own-keys").post("/own-keys", {"address": NORA, **QUICK}).json()
    harbour, poor = machine("own-keys", org=cast.harbour), machine("certificates", "keys", "messages")
    acts = {
        f"/own-keys/{row['id']}/{act}": body
        for act, body in {
            "rotate": WHY, "revoke": WHY, "install": {"certificate": "x", **WHY}, "sign-all": {"always": True, **WHY},
            "keep-in": WHY,
        }.items()
    } | {f"/authorities/{authority}/list": {}, f"/authorities/{authority}/end": WHY}  # fmt: skip
    looks = [f"/own-keys/{row['id']}", f"/own-keys/{row['id']}/public", f"/authorities/{authority}"]
    looks += [f"/authorities/{authority}/certificate"]
    for asking, status in ((harbour, 404), (poor, 403)):
        assert [asking.get(path).status_code for path in looks] == [status] * len(looks)
        assert [asking.post(path, body).status_code for path, body in acts.items()] == [status] * len(acts)
    assert harbour.get("/own-keys").json()["own_keys"] == []
    assert harbour.get("/authorities").json()["authorities"] == []
    # it has no authority; what another organisation's key would be is not said
    assert harbour.post(f"/own-keys/{row['id']}/certify", WHY).status_code == 404
    assert harbour.post("/own-keys", {"address": NORA, **QUICK}).status_code == 422, "not a domain of theirs"
    for path in ("/own-keys", "/own-keys/import", "/authorities", f"/own-keys/{row['id']}/take-out"):
        assert poor.post(path, {}).status_code == 403
        assert poor.post(path, {}).json()["type"].endswith(":scope")
    assert OwnKey.objects.get(pk=row["id"]).state == "active"


def test_what_is_wrong_is_refused_in_words_that_repeat_nothing(machine: Any) -> None:
    asking = machine("own-keys")
    for wrong in (
        {"address": "eve@elsewhere.test", **QUICK}, {"address": NORA}, {"address": NORA, "reason": ""},
        {"address": NORA, **WHY, "algorithm": "dsa"}, {"address": NORA, **WHY, "days": 4000},
        {"address": NORA, **QUICK, "certified_by": "nobody"}, {"address": "no address", **QUICK},
    ):  # fmt: skip
        answer = asking.post("/own-keys", wrong)
        assert answer.status_code == 422, (wrong, answer.content)
        assert b"maple.test" not in answer.content and b"elsewhere" not in answer.content
    assert asking.get("/own-keys?cursor=none").status_code == 422
    assert asking.get(f"/own-keys/{uuid.uuid4()}").status_code == 404
    assert asking.get(f"/own-keys/{uuid.uuid4()}/public?part=private").status_code == 422
    assert OwnKey.objects.count() == 0


def test_the_clients_shapes_read_what_the_api_answers(machine: Any, authority: str) -> None:
    asking = machine("own-keys")
    given = asked_keys.generate(NORA, "yearly", {"algorithm": "ec-p256", "certified_by": "authority"})
    assert given.call.path == "/api/v1/own-keys"
    row = given.read(answer(asking.post("/own-keys", given.call.body)))
    assert (row.address, row.ours) == (NORA, True)
    page = asked_keys.listed("").read(answer(asking.get("/own-keys")))
    assert page.own_keys == (row,)
    (shown,) = asked_keys.authorities().read(answer(asking.get("/authorities")))
    assert shown.id == authority and shown.list_url.endswith(".crl")
    made = identity.self_signed(identity.generate("ec-p256"), OFFICE, clock.now() - 1_000_000)
    bringing = asked_keys.bring_in(identity.export_pkcs12(made, "a long enough one"), "a long enough one", "moved", {})
    taken = bringing.read(answer(asking.post("/own-keys/import", bringing.call.body)))
    assert taken.address == OFFICE and taken.fingerprint == made.certificate.fingerprint
    part = asked_keys.public(taken.id, "certificate").read(answer(asking.get(f"/own-keys/{taken.id}/public")))
    assert x509.load_pem_x509_certificate(part.encode())


def answer(response: Any) -> Reply:
    assert response.status_code < 300, response.content
    assert msgspec.json.decode(response.content) is not None
    return Reply(response.status_code, {}, response.content)
