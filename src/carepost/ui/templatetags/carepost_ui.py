"""Filters and tags of the shared templates."""

from django import forms, template
from django.forms.boundfield import BoundField
from django.utils.html import format_html
from django.utils.safestring import SafeString

from carepost.ui import times

register = template.Library()


@register.filter
def when(us: int) -> SafeString | str:
    """A time a script may turn into the reader's own zone; readable as it is."""
    return format_html('<time datetime="{}">{}</time>', times.machine(us), times.words(us)) if us else ""


@register.filter
def when_exact(us: int) -> SafeString | str:
    return format_html('<time datetime="{}" data-exact>{}</time>', times.machine(us), times.exact(us)) if us else ""


@register.filter
def day(us: int) -> str:
    """Of what is known to the day only."""
    return times.day(us) if us else ""


@register.filter
def moment(us: int) -> str:
    """As `when`, where no element can stand: in a title."""
    return times.words(us)


@register.filter
def span(seconds: float) -> str:
    return times.span(seconds)


@register.filter
def size(octets: int) -> str:
    """`740 bytes`, `12 KB`, `3.4 MB` (powers of 1000)."""
    if octets < 1000:
        return f"{octets} byte{'' if octets == 1 else 's'}"
    if octets < 1_000_000:
        return f"{octets / 1000:.0f} KB"
    return f"{octets / 1_000_000:.1f} MB".replace(".0 ", " ")


@register.filter
def control(field: BoundField) -> SafeString:
    """A form's field as Tabler draws it, told apart and described when it has an error."""
    plain = isinstance(field.field.widget, forms.CheckboxInput | forms.RadioSelect)
    attributes: dict[str, str | bool] = {"class": "form-check-input" if plain else "form-control"}
    if isinstance(field.field.widget, forms.Select):
        attributes["class"] = "form-select"
    if field.errors:
        attributes |= {
            "class": f"{attributes['class']} is-invalid",
            "aria-invalid": "true",
            "aria-describedby": f"{field.auto_id}_error",
        }
    return field.as_widget(attrs=attributes)
