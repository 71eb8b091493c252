"""Staff sessions end on the server's side, and no page comes before a second factor (HS-06, HS-33, HS-37, N-03)."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.test import Client

from carepost.ground import clock
from carepost.tenancy.actions import staff
from carepost.tenancy.models import Staff

pytestmark = pytest.mark.django_db(databases=["default", "records"])

PASSWORD = "a long sentence nobody guessed"
SIGN_IN = "/sign-in"
MINUTE = 60_000_000


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """What earlier tests did wrong does not count against this one."""
    cache.clear()


@pytest.fixture
def later() -> Iterator[Any]:
    """Moves the clock forward by microseconds."""
    shift = [0]
    system = clock.now

    def move(by: int) -> None:
        shift[0] += by

    real = clock.now
    clock.set_source(lambda: real() + shift[0])
    yield move
    clock.set_source(None)
    assert clock.now is system


@pytest.fixture
def olga(cast: Any) -> Staff:
    person = Staff.objects.get(pk=cast.olga.id)
    person.set_password(PASSWORD)
    person.save()
    return person


def sign_in(browser: Client, person: Staff, password: str = PASSWORD) -> Any:
    return browser.post(SIGN_IN, {"login": person.email, "password": password})


def second_factor(person: Staff) -> str:
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(person, secret)
    return secret


def signed_in(person: Staff) -> Client:
    secret = second_factor(person)
    browser = Client()
    assert sign_in(browser, person)["Location"].startswith("/sign-in/second")
    code = totp.format_hotp_value(totp.hotp_value(secret, next(iter(totp.yield_hotp_counters_from_time()))))
    assert browser.post("/sign-in/second", {"code": code}).status_code == 302
    return browser


def test_without_a_second_factor_every_page_leads_to_enrolling_one(olga: Staff) -> None:
    browser = Client()
    assert sign_in(browser, olga).status_code == 302
    for page in ("/", "/messages", "/health"):
        answer = browser.get(page)
        assert (answer.status_code, answer["Location"]) == (302, "/security"), page


def test_password_and_code_open_the_console_and_are_on_record(olga: Staff, told: Any) -> None:
    """HS-09."""
    told()
    browser = signed_in(olga)
    assert browser.get("/messages").status_code == 200
    assert [(t.event.kind, t.event.result) for t in told()][:1] == [("staff.signed-in", "ok")]


def test_a_wrong_password_is_on_record_and_locks_after_five(olga: Staff, told: Any) -> None:
    """HS-09."""
    told()
    for _ in range(5):
        assert sign_in(Client(), olga, "not the password").status_code == 200
    assert {(t.event.kind, t.event.result) for t in told()} == {("staff.signed-in", "refused")}
    locked = sign_in(Client(), olga)
    assert locked.status_code == 200
    assert "_auth_user_id" not in Client().session


def test_the_second_factors_secret_is_sealed_in_its_table(olga: Staff) -> None:
    secret = second_factor(olga)
    stored = Authenticator.objects.get(user=olga).data
    assert secret not in str(stored)
    assert totp.TOTP(Authenticator.objects.get(user=olga)).validate_code("000000") in (True, False)


def test_an_idle_session_ends_on_the_server(olga: Staff, later: Any) -> None:
    """HS-33: the cookie is replayed as it was, and opens nothing."""
    browser = signed_in(olga)
    later(29 * MINUTE)
    assert browser.get("/messages").status_code == 200
    later(31 * MINUTE)
    assert browser.get("/messages")["Location"].startswith(SIGN_IN)
    assert browser.get("/messages")["Location"].startswith(SIGN_IN)


def test_an_administrators_session_is_idle_sooner(cast: Any, later: Any) -> None:
    ada = Staff.objects.get(pk=cast.ada.id)
    ada.set_password(PASSWORD)
    ada.save()
    browser = signed_in(ada)
    later(16 * MINUTE)
    assert browser.get("/messages")["Location"].startswith(SIGN_IN)


def test_a_busy_session_ends_after_a_day(olga: Staff, later: Any) -> None:
    """N-03."""
    browser = signed_in(olga)
    for _ in range(55):
        later(27 * MINUTE)
        answer = browser.get("/messages")
        if answer.status_code != 200:
            break
    assert answer.status_code == 302


def test_disabling_ends_the_session_that_is_open(cast: Any, olga: Staff) -> None:
    """HS-06."""
    browser = signed_in(olga)
    assert browser.get("/messages").status_code == 200
    staff.disable_staff(cast.clinic, olga.pk, actor=cast.ada, reason="left")
    assert browser.get("/messages")["Location"].startswith(SIGN_IN)
    assert sign_in(Client(), olga).status_code in (200, 302)
    fresh = Client()
    sign_in(fresh, olga)
    assert "_auth_user_id" not in fresh.session


def test_losing_the_last_role_closes_the_door(cast: Any, olga: Staff) -> None:
    browser = signed_in(olga)
    staff.revoke_role(cast.clinic, olga.pk, "operator", actor=cast.ada, reason="left")
    assert browser.get("/messages")["Location"].startswith(SIGN_IN)


def test_a_fragment_sends_the_whole_page_to_sign_in(olga: Staff, later: Any) -> None:
    browser = signed_in(olga)
    later(31 * MINUTE)
    answer = browser.get("/messages", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/sign-in?next=/messages")


def test_cookies_are_this_faces_own(olga: Staff) -> None:
    browser = signed_in(olga)
    cookie = browser.cookies["carepost-staff"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert browser.get("/messages")["Cache-Control"] == "no-store"


def test_a_member_of_two_chooses_only_among_their_own(cast: Any, olga: Staff) -> None:
    browser = signed_in(olga)
    session = browser.session
    session["organisation"] = str(cast.harbour)
    session.save()
    answer = browser.get("/messages")
    assert answer.wsgi_request.desk.org == cast.clinic
    assert uuid.UUID(cast.hal.id) != olga.pk
