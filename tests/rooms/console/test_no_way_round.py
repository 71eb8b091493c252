"""BI-096: nobody gets in, or rid of a second factor, by reading a mailbox."""

from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver

from carepost.tenancy.models import Organisation
from tests.support.desk import person, seated
from tests.support.mailroom import KeptDoor

#: the sign-in library's own addresses, had they been routed, and ways a person might try
TRIED = (
    "/password/reset", "/password/reset/", "/accounts/password/reset/", "/sign-up", "/signup", "/email",
    "/sign-in/code", "/sign-in/reset", "/accounts/confirm-email/x/", "/recover",
)  # fmt: skip


def names(resolver: Any) -> set[str]:
    found: set[str] = set()
    for one in resolver.url_patterns:
        found |= names(one) if hasattr(one, "url_patterns") else {str(one.name)}
    return found


@pytest.mark.parametrize("path", TRIED)
def test_no_page_resets_a_password_by_mail(path: str, maple: Organisation, door: KeptDoor) -> None:
    person(maple, "administrator", "ada@maple.test")
    for http in (Client(), seated(person(maple, "operator", "olga@maple.test"))):
        assert http.get(path).status_code == 404
        assert http.post(path, {"email": "ada@maple.test", "login": "ada@maple.test"}).status_code in (403, 404)
    assert door.taken == [], "no mail was sent to anybody"


def test_no_route_of_the_library_leads_past_the_second_factor() -> None:
    forbidden = ("account_reset_password", "account_signup", "account_email", "account_confirm_login_code",
                 "account_request_login_code", "account_confirm_email")  # fmt: skip
    found = names(get_resolver("carepost.settings.urls_console"))
    assert "account_login" in found
    assert found.isdisjoint(forbidden)
    assert not [name for name in found if "reset" in name]
