"""The console's navigation, made from what the person may do."""

from importlib.metadata import version
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from carepost.console import navigation
from carepost.console.navigation import Fold, Shown
from carepost.ground import ids
from carepost.tenancy.gates import Desk
from carepost.tenancy.sessions import has_second_factor

register = template.Library()


@register.inclusion_tag("console/nav.html", takes_context=True)
def console_nav(context: dict[str, Any]) -> dict[str, Any]:
    request = context["request"]
    desk: Desk | None = getattr(request, "desk", None) if has_second_factor(request.user) else None
    match = request.resolver_match
    here = match.url_name if match is not None and match.namespace == "console" else ""
    items = navigation.shown(desk.may, here) if desk is not None else ()
    who = desk.staff.name or desk.staff.email if desk is not None else ""
    return {
        "items": items,
        "here": next((one.label for item in items for one in _pages(item) if one.current), ""),
        "signed_in": request.user.is_authenticated,
        "who": who or getattr(request.user, "email", ""),
        "organisation": desk.organisation.name if desk is not None else "",
        "request": request,
        "csrf_token": context.get("csrf_token"),
    }


def _pages(item: Shown | Fold) -> tuple[Shown, ...]:
    return item.entries if isinstance(item, Fold) else (item,)


@register.simple_tag
def carepost_version() -> str:
    return version("carepost")


@register.simple_tag
def page_mark() -> SafeString:
    """Names the page a form stands on, so that sent from there twice it is one act (`tenancy.pressed`)."""
    return format_html('<input type="hidden" name="page" value="{}">', ids.text(ids.new()))
