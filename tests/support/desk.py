"""Staff at the console: people with roles and a second factor, and messages as the archive shows them."""

import uuid

from allauth.mfa.totp.internal import auth as totp
from django.test import Client

from carepost.ground import ids
from carepost.tenancy.actions import staff
from carepost.tenancy.models import Organisation, Staff
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire.types import AttemptView, DeliveryView, MessageView

PASSWORD = "correct horse zebra staple"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
#: 2026-11-21 12:00 UTC
NOON = 1_795_262_400_000_000
SECOND = 1_000_000


def person(org: Organisation, role: str, email: str = "", name: str = "") -> Staff:
    """A member of staff with password and authenticator app."""
    address = email or f"{role}@{org.slug}.test"
    invited = staff.add_staff(org.pk, address, name or f"{role.title()} Heron", role, actor=BOOTSTRAP)
    staff.use_link(invited.token, PASSWORD)
    made = Staff.objects.get(pk=invited.staff)
    totp.TOTP.activate(made, SECRET)
    return made


def seated(somebody: Staff) -> Client:
    """A browser of somebody who signed in."""
    http = Client(enforce_csrf_checks=True)
    http.force_login(somebody, backend="carepost.tenancy.accounts.StaffBackend")
    return http


def code_now(secret: str = SECRET, *, steps: int = 0) -> str:
    """What the authenticator app shows at this moment, or showed so many half minutes away from it."""
    shown = list(totp.yield_hotp_counters_from_time())
    return totp.format_hotp_value(totp.hotp_value(secret, shown[len(shown) // 2] + steps))


def sample(org: uuid.UUID, message: uuid.UUID | None = None) -> MessageView:
    """A message with one recipient of each kind."""
    number = message or uuid.UUID(bytes=ids.new(1))

    def attempt(number: int, method: str, result: str, **more: object) -> AttemptView:
        values = {
            "number": number, "at": NOON + number * 3 * SECOND, "method": method, "required": "VERIFIED",
            "achieved": "", "stage": "dot", "result": result, "reason": "", "words": "", "reply": "", "mx": "",
            "tls": "",
        }  # fmt: skip
        return AttemptView(**{**values, **more})  # type: ignore[arg-type]

    def delivery(
        to: str, state: str, method: str, assurance: str, words: str, rule: str, *tries: AttemptView
    ) -> DeliveryView:
        return DeliveryView(
            ids.text(ids.new(1)), to, state, method, assurance, state, words, rule,
            NOON + 1_800 * SECOND if state in ("deferred", "queued") else 0, tries,
        )  # fmt: skip

    sent = delivery(
        "anna.finch@dane.test", "sent", "tls", "AUTHENTICATED",
        "Ordinary mail: the server proved by DANE that it is the recipient’s own.", "default",
        attempt(1, "tls", "sent", achieved="AUTHENTICATED", mx="mx.dane.test", tls="TLSv1.3, TLS_AES_256_GCM_SHA384",
                reply="250 2.0.0 Ok: queued as 4F1A2B", words="Accepted after DANE (3 1 1) was checked."),
    )  # fmt: skip
    portal = delivery(
        "ben.wren@wrongname.test", "deposited", "portal", "", "The server’s certificate is for another name, so the "
        "message waits in the secure portal.", "portal-by-mail",
        attempt(1, "tls", "next", achieved="ENCRYPTED", stage="floor", mx="mx.wrongname.test", tls="TLSv1.3",
                words="The certificate names other.test, not mx.wrongname.test."),
        attempt(2, "portal", "deposited", stage="deposit"),
    )  # fmt: skip
    later = delivery(
        "cora.lark@full.test", "deferred", "tls", "", "Ordinary mail over verified TLS.", "default",
        attempt(1, "tls", "deferred", achieved="VERIFIED", stage="rcpt", mx="mx.full.test", tls="TLSv1.3",
                reply="452 4.2.2 The mailbox is full", words="The recipient’s mailbox is full."),
    )  # fmt: skip
    held = delivery(
        "dan.crane@plain.test", "held", "", "", "The server offers no encryption and no access code was agreed: it "
        "needs an access code.", "default",
        attempt(1, "tls", "held", achieved="NONE", stage="starttls", mx="mx.plain.test",
                words="The server offers no STARTTLS."),
    )  # fmt: skip
    failed = delivery(
        "eve.stork@bounce.test", "failed", "tls", "", "Ordinary mail over verified TLS.", "default",
        attempt(1, "tls", "failed", achieved="VERIFIED", stage="rcpt", mx="mx.bounce.test", tls="TLSv1.3",
                reply="550 5.1.1 No such person here", words="There is no such mailbox."),
    )  # fmt: skip
    return MessageView(
        str(number), str(org), NOON, "dr.owl@clinic.test", "Your blood test of 19 November",
        f"<{number}@clinic.test>", "smtp", "transactional", 48_213, (sent, portal, later, held, failed),
    )  # fmt: skip
