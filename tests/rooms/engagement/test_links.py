"""Tracked links and pictures as the world asks for them: they lead on and act on nothing; forged ones lead nowhere
(BI-095, BI-093; law 11)."""

import base64
import uuid
from typing import Any

import msgspec
import pytest
from django.db import DatabaseError
from django.test import Client

from carepost.engagement.arriving import MOST
from carepost.engagement.models import Copy, Hit
from carepost.ground import ids
from carepost.public import tracking
from carepost.tenancy import keys, scope
from tests.rooms.engagement.conftest import CHROME, Copies

pytestmark = [
    pytest.mark.django_db(databases=["default", "records"]),
    pytest.mark.urls("carepost.settings.urls_outside"),
]

ADDRESS = "198.51.100.77"


def rows(copies: Copies) -> list[Hit]:
    copies.arrivals.write()
    with scope.organisation(copies.owner):
        return list(Hit.objects.filter(org_id=copies.owner).order_by("at", "pk"))


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_link_leads_where_its_seal_says_and_is_kept_by_nobody(maple: Copies, method: str) -> None:
    _, (delivery,) = maple.send()
    target = "https://shop.test/a?x=1&y=%C3%BC#part"
    answer = maple.click(delivery, 1, method, target=target)
    assert (answer.status_code, answer["Location"]) == (302, target)
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer["X-Robots-Tag"]
    assert len(answer.cookies) == 0
    (hit,) = rows(maple)
    assert (hit.kind, hit.role, hit.link, hit.count, hit.verdict) == ("click", "link", 1, 1, "")


def test_a_picture_is_one_pixel_and_is_shown_on_any_page(maple: Copies) -> None:
    _, (delivery,) = maple.send()
    answer = maple.fetch(f"/o/{maple.token('open', delivery)}")
    assert (answer.status_code, answer["Content-Type"], answer.content) == (200, "image/gif", tracking.GIF)
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    (hit,) = rows(maple)
    assert (hit.kind, hit.role, hit.link) == ("open", "pixel", 0)


def test_bi_095_nothing_of_the_request_decides_where_it_leads(maple: Copies) -> None:
    """BI-095: no open redirect, whatever stands around the token."""
    _, (delivery,) = maple.send()
    token = maple.token("click", delivery, 1)
    for path in (f"/c/{token}?next=//evil.test", f"/c/{token}?url=https://evil.test", f"/c/{token}//evil.test",
                 f"/c/{token}%27/", f"/c/{token}?u=%0d%0aSet-Cookie:x=1"):  # fmt: skip
        answer = maple.fetch(path)
        assert (answer.status_code, answer["Location"]) == (302, "https://shop.test/1")
    assert {one.seen.altered for one in maple.arrivals.waiting} == {True}
    for path in ("/c/", "/c/https://evil.test", "/c/aHR0cHM6Ly9ldmlsLnRlc3Q", "/c/?url=https://evil.test"):
        answer = maple.fetch(path)
        assert (answer.status_code, "Location" in answer) == (404, False)


def forged(maple: Copies, delivery: bytes) -> dict[str, str]:
    token = maple.token("click", delivery, 1)
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[-1] ^= 1
    other = bytearray(raw)
    other[-1] ^= 1
    other[2:18] = uuid.uuid4().bytes
    day = 86_400
    return {
        "bent": base64.urlsafe_b64encode(raw).decode().rstrip("="),
        "another-organisation": base64.urlsafe_b64encode(other).decode().rstrip("="),
        "cut": token[:-4],
        "a-picture": maple.token("open", delivery),
        "over": maple.token("click", delivery, 1, made=maple.at[0] // 1_000_000 - 401 * day),
        "javascript": maple.token("click", delivery, 1, target="javascript:alert(1)"),
        "line-end": maple.token("click", delivery, 1, target="https://shop.test/\r\nSet-Cookie: x=1"),
        "relative": maple.token("click", delivery, 1, target="//evil.test/"),
    }  # fmt: skip


FORGED = ["bent", "another-organisation", "cut", "a-picture", "over", "javascript", "line-end", "relative"]


@pytest.mark.parametrize("name", FORGED)
def test_what_is_not_ours_shows_a_plain_page_and_leads_nowhere(maple: Copies, name: str) -> None:
    _, (delivery,) = maple.send()
    answer = maple.fetch(f"/c/{forged(maple, delivery)[name]}")
    assert (answer.status_code, "Location" in answer, "Set-Cookie" in answer) == (404, False, False)
    assert b"It leads nowhere" in answer.content
    assert answer.content == maple.fetch("/c/none").content


def test_forged_links_and_pictures_are_no_hits(maple: Copies) -> None:
    _, (delivery,) = maple.send()
    for name, token in forged(maple, delivery).items():
        if name not in ("javascript", "line-end", "relative"):
            maple.fetch(f"/c/{token}")
    assert maple.fetch(f"/o/{maple.token('click', delivery, 1)}").content == tracking.GIF
    assert rows(maple) == []


@pytest.mark.parametrize("method", ["post", "put", "delete", "options", "patch"])
def test_only_what_asks_is_answered(maple: Copies, method: str) -> None:
    _, (delivery,) = maple.send()
    assert maple.click(delivery, 1, method).status_code == 405
    assert rows(maple) == []


def test_the_hidden_link_leads_nowhere_and_is_counted(maple: Copies) -> None:
    _, (delivery,) = maple.send()
    assert maple.click(delivery, 0, decoy=True).status_code == 404
    (hit,) = rows(maple)
    assert hit.role == "decoy"


def test_neither_address_nor_user_agent_is_kept(maple: Copies, capfd: pytest.CaptureFixture[str]) -> None:
    _, (delivery,) = maple.send()
    odd = "QuillBrowser/77.1 (Osprey OS)"
    maple.click(delivery, 1, headers={"User-Agent": odd, "X-Forwarded-For": "203.0.113.200"}, address=ADDRESS)
    (kept,) = maple.arrivals.waiting
    text = repr(kept)
    for secret in (ADDRESS, odd, "Quill", "203.0.113.200", "shop.test"):
        assert secret not in text
    (hit,) = rows(maple)
    assert b"click" not in bytes(hit.sealed)
    shown = capfd.readouterr()
    assert ADDRESS not in shown.out + shown.err
    assert "QuillBrowser" not in shown.out + shown.err


def test_what_is_alike_is_counted_and_a_copy_keeps_a_bounded_number(maple: Copies) -> None:
    _, (delivery,) = maple.send()
    for _ in range(5):
        maple.click(delivery, 1)
    (hit,) = rows(maple)
    assert hit.count == 5
    maple.later(120_000_000)
    maple.click(delivery, 1)
    assert [row.count for row in rows(maple)] == [5, 1]
    for number in range(MOST + 50):
        maple.click(delivery, 2, headers={"User-Agent": f"{CHROME} Odd{number}"}, address=f"203.0.{number % 200}.1")
    assert len(rows(maple)) <= MOST
    with scope.organisation(maple.owner):
        assert Copy.objects.get(org_id=maple.owner).hits == 6 + MOST + 50


def test_links_lead_on_while_the_database_is_away(maple: Copies, monkeypatch: pytest.MonkeyPatch) -> None:
    _, (delivery,) = maple.send()
    first = maple.token("click", delivery, 1)
    assert maple.fetch(f"/c/{first}").status_code == 302

    def away(*_: Any) -> bytes:
        raise DatabaseError

    monkeypatch.setattr(keys, "version", away)
    assert maple.fetch(f"/c/{first}").status_code == 302
    assert len(maple.arrivals.waiting) == 2


def test_who_guesses_is_stopped_and_nobody_else_is(maple: Copies) -> None:
    _, (delivery,) = maple.send()
    bent = forged(maple, delivery)["bent"]
    for _ in range(tracking.WRONG + 5):
        assert maple.fetch(f"/c/{bent}", address=ADDRESS).status_code == 404
    # what follows from that address is not even looked at for a minute
    assert maple.click(delivery, 1, address=ADDRESS).status_code == 404
    assert maple.click(delivery, 1).status_code == 302
    maple.later(61_000_000)
    assert maple.click(delivery, 1, address=ADDRESS).status_code == 302


def test_an_address_is_taken_from_our_own_proxy_alone(maple: Copies) -> None:
    """The last public address before ours counts: what a client writes into the field itself stands further left."""
    _, (delivery,) = maple.send()
    said = {"User-Agent": CHROME, "X-Forwarded-For": "8.8.8.8, 17.58.0.1, 10.0.0.7", "X-Forwarded-Proto": "https"}
    maple.click(delivery, 1, headers=said, address="127.0.0.1")
    maple.click(delivery, 1, headers={"User-Agent": CHROME}, address="17.58.0.1")
    maple.click(delivery, 1, headers=said, address="9.9.9.9")
    through, direct, lying = (one.seen.place for one in maple.arrivals.waiting)
    assert through == direct
    assert lying != direct


def test_any_host_name_is_answered_but_for_nothing_else(maple: Copies, settings: Any) -> None:
    settings.MIDDLEWARE = ["carepost.public.tracking.AtAnyHost", "django.middleware.common.CommonMiddleware"]
    settings.ALLOWED_HOSTS = ["portal.maple.test"]
    _, (delivery,) = maple.send()
    path = f"/c/{maple.token('click', delivery, 1)}"
    assert Client().get(path, headers={"Host": "link.maple.test"}).status_code == 302
    assert Client().get("/", headers={"Host": "link.maple.test"}).status_code == 400


def test_features_of_one_organisation_say_nothing_in_another(maple: Copies, cast: Any) -> None:
    harbour = Copies(cast.harbour, maple.box, maple.arrivals, maple.at)
    for number in range(6):
        address = f"203.0.{number}.9"
        maple.click(ids.new(1), 1, address=address)
        harbour.click(ids.new(1), 1, address=address)
    places = [one.seen.place for one in maple.arrivals.waiting]
    assert places[0::2] != places[1::2]
    first, second = maple.arrivals.waiting[:2]
    assert msgspec.structs.replace(first.seen, since=0, place=0, agent=0) == msgspec.structs.replace(
        second.seen, since=0, place=0, agent=0
    )
