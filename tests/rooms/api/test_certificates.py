"""Recipients' certificates by API: scope, one and many, pin, distrust, renewal, a dry run; other organisations."""

import uuid
from typing import Any

import pytest

from carepost.keyring import found
from carepost.keyring.models import RecipientKey
from tests.rooms.keyring.test_recipient_keys import BO, openpgp, smime
from tests.rooms.keyring.test_renewal import authority, issue, published, row_of
from tests.rooms.tenancy.conftest import eyes
from tests.support.outbox import office_events

__all__ = ["eyes"]

pytestmark = pytest.mark.django_db(databases=["default", "records"])

CAM = "cam@partner.test"


def given(file: bytes, address: str = BO) -> dict[str, str]:
    return {"address": address, "certificate": file.decode(), "reason": "read to us by telephone"}


def test_one_is_added_shown_distrusted_and_vouched_for_again(machine: Any) -> None:
    asking, file = machine("certificates"), smime()
    made = asking.post("/certificates", given(file))
    assert made.status_code == 201
    row = made.json()
    assert (row["address"], row["method"], row["state"], row["pinned"]) == (BO, "smime", "in use", True)
    assert asking.post("/certificates/search", {"address": "Bo@Partner.test"}).json()["certificates"] == [row]
    assert asking.get(f"/certificates/{row['id']}").json() == row
    gone = asking.post(f"/certificates/{row['id']}/distrust", {"reason": "stolen laptop"})
    assert (gone.status_code, gone.json()["state"]) == (200, "distrusted")
    assert asking.post(f"/certificates/{row['id']}/pin", {"reason": "oops"}).status_code == 409
    assert asking.post("/certificates", given(file)).json()["id"] == row["id"]
    assert asking.post(f"/certificates/{row['id']}/pin", {"reason": "sure"}).json()["pinned"] is True
    kinds = [event.kind for event in office_events("keyring.key-added")]
    assert len(kinds) == 2 and all(e.actor.kind == "key" for e in office_events("keyring.key-distrusted"))
    assert office_events("keyring.keys-viewed"), "each look is on record"


def test_what_is_wrong_is_refused_in_words_that_repeat_nothing(machine: Any) -> None:
    asking = machine("certificates")
    for wrong, status in (
        (given(smime(CAM)), 422), (given(b"nothing"), 422), (given(smime()) | {"reason": ""}, 422),
        (given(smime()) | {"address": "no address"}, 422), (given(smime()) | {"more": 1}, 422),
        (given(b"-----BEGIN PRIVATE KEY-----\n"), 422),
    ):  # fmt: skip
        answer = asking.post("/certificates", wrong)
        assert answer.status_code == status, answer.content
        assert b"partner.test" not in answer.content
    assert asking.get("/certificates?cursor=none").status_code == 422
    assert asking.get("/certificates?attention=no").status_code == 422
    assert asking.get("/certificates?address=bo@partner.test").status_code == 422, "no address in a URL"
    assert RecipientKey.objects.count() == 0


def test_pages_and_what_needs_somebody(machine: Any) -> None:
    asking = machine("certificates")
    for number in range(4):
        asking.post("/certificates", given(smime(f"p{number}@partner.test"), f"p{number}@partner.test"))
    asking.post("/certificates", given(smime(days=12), BO))
    first = asking.get("/certificates?limit=3").json()
    rest = asking.get(f"/certificates?limit=3&cursor={first['cursor']}").json()
    addresses = [one["address"] for one in first["certificates"] + rest["certificates"]]
    assert addresses == [BO, *(f"p{number}@partner.test" for number in (3, 2, 1, 0))] and rest["cursor"] == ""
    assert [one["address"] for one in asking.get("/certificates?attention=yes").json()["certificates"]] == [BO]


def test_a_renewed_one_is_accepted_in_one_act_and_no_other(machine: Any, cast: Any) -> None:
    """BI-072: until then it holds the mail."""
    asking, ca, org = machine("certificates"), authority(), uuid.UUID(bytes=cast.maple)
    old, new, other = issue(ca, days=9), issue(ca, days=400, since=1, number=1), issue(authority(), days=500, number=2)
    for one in (old, new, other):
        found.take(org, published(one, ca.der))
    shown = {
        row["fingerprint"]: row for row in asking.post("/certificates/search", {"address": BO}).json()["certificates"]
    }
    assert shown[new.certificate.fingerprint]["renews"] and not shown[other.certificate.fingerprint]["renews"]
    why = {"reason": "yearly renewal"}
    assert asking.post(f"/certificates/{row_of(other).pk}/accept-renewed", why).status_code == 409
    done = asking.post(f"/certificates/{row_of(new).pk}/accept-renewed", why)
    assert (done.status_code, done.json()["state"], row_of(old).state) == (200, "in use", "replaced")


def test_bi_106_many_are_tried_then_taken_and_taken_again_change_nothing(machine: Any) -> None:
    asking = machine("certificates")
    asking.post("/certificates", given(smime()))
    many = [
        {"address": address, "certificate": file.decode()}
        for address, file in ((BO, smime()), (CAM, openpgp(CAM)), (CAM, smime()), ("x", smime()))
    ]
    asked = {"certificates": many, "reason": "the partner's list", "dry_run": True}
    tried = asking.post("/certificates/import", asked).json()
    assert [one["done"] for one in tried["results"]] == ["replaces", "added", "refused", "refused"]
    assert tried["dry_run"] and RecipientKey.objects.count() == 1
    done = asking.post("/certificates/import", asked | {"dry_run": False}).json()
    assert done["results"] == tried["results"] and RecipientKey.objects.count() == 3
    again = asking.post("/certificates/import", asked | {"dry_run": False}).json()
    assert [one["done"] for one in again["results"]] == ["known", "known", "refused", "refused"]
    assert asking.post("/certificates/import", asked | {"certificates": []}).status_code == 422


def test_strangers_and_other_organisations_see_and_change_nothing(machine: Any, cast: Any) -> None:
    row = machine("certificates").post("/certificates", given(smime())).json()
    paths = [f"/certificates/{row['id']}/{act}" for act in ("pin", "distrust", "accept-renewed")]
    harbour, poor = machine("certificates", org=cast.harbour), machine("suppressions", "keys", "events")
    assert harbour.post("/certificates/search", {"address": BO}).json()["certificates"] == []
    assert harbour.get("/certificates").json()["certificates"] == []
    for asking, status in ((harbour, 404), (poor, 403)):
        assert asking.get(f"/certificates/{row['id']}").status_code == status
        assert [asking.post(path, {"reason": "r"}).status_code for path in paths] == [status] * 3
    for path in ("/certificates", "/certificates/import", "/certificates/search"):
        assert poor.post(path, {}).status_code == 403
    assert RecipientKey.objects.get(pk=row["id"]).state == "in use"
