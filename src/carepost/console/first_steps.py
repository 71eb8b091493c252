"""The first-run list: what an administrator must decide before patients' mail is sent, each step with its state."""

from typing import Final

import msgspec
from django.conf import settings
from django.urls import reverse

from carepost.tenancy import select
from carepost.tenancy.gates import Desk
from carepost.tenancy.models import Rule
from carepost.tenancy.permissions import Role

#: the form under the list
_BELOW: Final = ("#settings-title", "Fill it in below")


class Step(msgspec.Struct, frozen=True):
    title: str
    done: bool
    #: what is set, or why it matters
    text: str
    #: the command that mends it, on the machine itself
    how: str = ""
    #: the page that mends it: its address and what to press there
    at: str = ""
    press: str = ""


def portal_by_mail(desk: Desk) -> bool:
    """Whether a code sent by e-mail alone opens the portal."""
    in_force = Rule.objects.filter(org_id=desk.org, version__label=desk.organisation.policy_version)
    return in_force.filter(rule="portal-by-mail", portal_by_mail=True).exists()


def steps(desk: Desk) -> list[Step]:
    org = desk.organisation
    domains = select.domains(desk.org)
    senders = len(select.credentials(desk.org)) + len(select.api_keys(desk.org))
    by_mail = portal_by_mail(desk)
    config = settings.CAREPOST_CONFIG
    secure = (org.portal_url or config.portal_url).startswith("https://")
    return [
        Step(
            "Name and telephone number of notices",
            bool(org.phone),
            f"Notices are signed “{org.notice_name}”"
            + (f" and give the number {org.phone}." if org.phone else ", without a number to call."),
            "carepost org set --phone NUMBER --notice-name NAME",
            *_BELOW,
        ),
        Step(
            "A domain to send from",
            bool(domains),
            ", ".join(d.domain for d in domains) if domains else "Nothing can be sent before a domain is added.",
            "carepost domain add DOMAIN, then publish the DKIM records it prints",
            reverse("console:domain-new"),
            "Add a domain",
        ),
        Step(
            "Somebody or something that may send",
            senders > 0,
            f"{senders} SMTP credentials and API keys are in use." if senders else "No program can hand over mail yet.",
            "carepost credential add NAME (SMTP), carepost key add NAME --scope send (API)",
            reverse("console:programs"),
            "Programs",
        ),
        Step(
            "Portal by e-mailed code",
            by_mail,
            "Who cannot get mail over verified TLS may open the portal with a code sent by e-mail."
            if by_mail
            else "Off: the portal then opens only with an access code or question agreed beforehand, and messages "
            "without one are held. Leaving it off is a decision too.",
            "carepost rule portal-by-mail on --reason …",
            "#by-mail-title",
            "Turn it on, below",
        ),
        Step(
            "The address recipients see",
            secure,
            org.portal_url or config.portal_url or "Recipients’ links lead to this machine’s own name, without TLS.",
            "carepost org set --portal-url https://…",
            *_BELOW,
        ),
        *_people(desk),
    ]  # fmt: skip


def _people(desk: Desk) -> list[Step]:
    """Who watches from outside, and who can let the others in."""
    org = desk.organisation
    administrators = {row.staff_id for row in select.staff(desk.org) if row.role == Role.ADMINISTRATOR}
    return [
        Step(
            "An auditor outside",
            bool(org.auditor),
            "A signed checkpoint of the records is sent there daily."
            if org.auditor
            else ("With daily checkpoints kept elsewhere nobody can rewrite the records unseen, not even you."),
            "carepost org set --auditor ADDRESS",
            *_BELOW,
        ),
        Step(
            "An address for alerts",
            bool(org.alerts),
            "It is told when a destination loses protection or a key ends, and gets mail to your postmaster@."
            if org.alerts
            else "Nobody hears that a destination loses protection or a key ends, or reads mail to your postmaster@.",
            "carepost org set --alerts ADDRESS",
            *_BELOW,
        ),
        Step(
            "A second administrator",
            len(administrators) > 1,
            f"{len(administrators)} administrator{' works' if len(administrators) == 1 else 's work'} here."
            + ("" if len(administrators) > 1 else " Who loses phone and key has nobody here to let them in again."),
            "carepost staff add ADDRESS --name NAME --role administrator",
            reverse("console:person-new"),
            "Add a person",
        ),
    ]
