"""The console's navigation, made from what the person may do."""

from importlib.metadata import version
from typing import Any, Final

from django import template
from django.urls import reverse

from carepost.tenancy.gates import Desk
from carepost.tenancy.permissions import Permission
from carepost.tenancy.sessions import has_second_factor

register = template.Library()

#: (label, route, permission, routes that belong to it)
_NAV: Final = (
    ("Overview", "overview", Permission.HEALTH, ("overview",)),
    ("Write", "write", Permission.SEND, ("write", "write-draft")),
    ("Messages", "messages", Permission.SEARCH, ("messages", "message", "proof", "act", "retract")),
    ("Held", "held", Permission.RELEASE, ("held", "held-one", "held-message", "held-decide", "held-letters")),
    ("Destinations", "destinations", Permission.HEALTH, ("destinations", "destination", "destination-pin")),
    (
        "Certificates",
        "certificates",
        Permission.KEYRING,
        ("certificates", "certificate", "certificate-new", "certificate-several", "certificate-pin"),
    ),
    (
        "Our keys",
        "own-keys",
        Permission.KEYRING,
        ("own-keys", "own-key", "own-key-new", "own-key-import", "own-key-install"),
    ),
    ("Domains", "domains", Permission.DOMAINS, ("domains", "domain", "domain-check")),
    (
        "Gateway",
        "gateways",
        Permission.ROUTES,
        ("gateways", "gateway", "gateway-new", "gateway-change", "gateway-sign-in", "gateway-rotate"),
    ),
    ("Check a message", "headers", Permission.READ, ("headers",)),
    (
        "Policy",
        "policy",
        Permission.POLICY,
        ("policy", "policy-new", "policy-rule", "policy-remove", "policy-version"),
    ),
    (
        "Detection",
        "words",
        Permission.POLICY,
        ("words", "words-add", "words-remove", "words-try", "words-reports", "words-settle"),
    ),
    ("Health", "health", Permission.HEALTH, ("health",)),
    ("People", "people", Permission.STAFF, ("people",)),
    ("First run", "first-run", Permission.ORGANISATION, ("first-run",)),
)


@register.inclusion_tag("console/nav.html", takes_context=True)
def console_nav(context: dict[str, Any]) -> dict[str, Any]:
    request = context["request"]
    desk: Desk | None = getattr(request, "desk", None) if has_second_factor(request.user) else None
    match = request.resolver_match
    here = match.url_name if match is not None and match.namespace == "console" else ""
    items = [
        {"label": label, "url": reverse(f"console:{route}"), "current": here in routes, "counts": route == "held"}
        for label, route, needed, routes in _NAV
        if desk is not None and desk.may(needed)
    ]
    who = desk.staff.name or desk.staff.email if desk is not None else ""
    return {
        "items": items,
        "signed_in": request.user.is_authenticated,
        "who": who or getattr(request.user, "email", ""),
        "organisation": desk.organisation.name if desk is not None else "",
        "request": request,
        "csrf_token": context.get("csrf_token"),
    }


@register.simple_tag
def carepost_version() -> str:
    return version("carepost")
