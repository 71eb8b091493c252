"""The set-up of a connection to the organisation's own mail system, as an administrator sees it."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from carepost.directory.gateways import RETURN
from carepost.gateway import acts, select
from carepost.gateway.models import Finding, Seen
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP
from tests.support.console import OPEN, _plain, door, keep, maple, sign_in
from tests.support.desk import person
from tests.support.mailroom import KeptDoor
from tests.support.sides import NOON

__all__ = ["_plain", "door", "maple"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "records"])]


@pytest.mark.parametrize("width", [1440, 375])
def test_a_connection_is_set_up(
    width: int, live_server: Any, maple: Organisation, door: KeptDoor, open_page: OPEN, checked: Any, no_sideways: Any
) -> None:
    person(maple, "administrator", "ada@maple.test", "Ada Heron")
    page = open_page(viewport={"width": width, "height": 900})
    sign_in(page, live_server.url, "ada@maple.test")
    base = f"{live_server.url}/gateway"
    page.goto(base)
    checked(page)
    no_sideways(page)
    keep(page, f"gateways-none-{width}")
    page.get_by_role("link", name="Connect a mail system").click()
    page.get_by_label("Name").fill("Our Microsoft 365")
    checked(page)
    keep(page, f"gateway-new-{width}")
    page.get_by_role("button", name="Connect", exact=True).click()
    page.get_by_text("Copy the header’s value now").wait_for()
    checked(page)
    no_sideways(page)
    keep(page, f"gateway-made-{width}")
    with scope.organisation(maple.pk):
        (one,) = select.connections(maple.pk, BOOTSTRAP)
        given = msgspec.structs.replace(one.settings, mode=RETURN, host="mail.maple-tenant.test", inbound=True)
    acts.change_connection(maple.pk, UUID(one.id), given, actor=BOOTSTRAP)
    with scope.organisation(maple.pk):
        for step, cause, at in (("received", "", NOON), ("refused", "gateway-secret", NOON + 9), ("sent", "", NOON)):
            Seen(org_id=maple.pk, connection_id=one.id, step=step, cause=cause, at=at).save()
        for step, state, found, cause in (
            ("mx", "good", "maple.test: mail.carepost.test", ""), ("host", "good", "mail.maple-tenant.test:25", ""),
            ("tls", "bad", "TLSv1.3, certificate for mail.maple-tenant.test, until 2026-11-01", "expired"),
            ("recipient", "skipped", "", ""),
        ):  # fmt: skip
            Finding(
                org_id=maple.pk, connection_id=one.id, step=step, state=state, found=found, cause=cause, at=NOON
            ).save()
    page.goto(f"{base}/{one.id}")
    page.get_by_text("carried no valid secret").wait_for()
    page.get_by_text("Its certificate has expired: renew it.").wait_for()
    for summary in ("Settings", "How we sign in at your mail host", "Remove this connection"):
        page.locator("#main summary", has_text=summary).click()
    checked(page)
    no_sideways(page)
    keep(page, f"gateway-steps-{width}")
    page.goto(base)
    page.get_by_role("link", name="Our Microsoft 365").wait_for()
    checked(page)
    no_sideways(page)
    keep(page, f"gateways-{width}")
    assert page.faults == []  # type: ignore[attr-defined]
