"""Opens and clicks: the figures, and where they are watched at all."""

from datetime import date
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from carepost.console.guard import shielded
from carepost.engagement import acts, networks, select
from carepost.engagement.types import CATEGORIES, Known, Line, Split
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused
from carepost.tenancy import select as tenancy
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission
from carepost.tracking.types import Switch

_DAY_US: Final = 86_400_000_000
_DAYS: Final = (("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "a year"))
_NAMES: Final = {"marketing": "Marketing", "operational": "Operational", "transactional": "Transactional"}
_LEVELS: Final = (
    ("off", "Off"), ("asked", "Only those that ask for it"), ("on", "All that do not say no"),
)  # fmt: skip
_COUNTS: Final = (
    (Switch.HUMAN.value, "People alone"),
    (Switch.NOT_AUTOMATED.value, "People, and what nobody can tell from a machine"),
    (Switch.ALL.value, "Everything, machines too"),
)
_MEANINGS: Final = (
    ("scanner", "A scanner: it looks at mail, and is no person"),
    ("office", "An office, a ward, a home: people"),
    ("filter", "A web filter that people browse through"),
    ("vpn", "Where a VPN comes out"),
    ("data-centre", "A data centre: machines and rented desktops"),
)
_REASON: Final = "Say why; it is kept with the event."


class WatchForm(forms.Form):
    category = forms.ChoiceField(choices=[(name, _NAMES[name]) for name in CATEGORIES], widget=forms.HiddenInput)
    opens = forms.ChoiceField(label="Opens", choices=_LEVELS)
    clicks = forms.ChoiceField(label="Clicks", choices=_LEVELS)
    attestation = forms.CharField(
        label="Attestation: who vouches that these messages show nothing of a person’s health, and why",
        max_length=1_000, required=False, widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip
    reason = forms.CharField(label="Reason (kept with the event)", max_length=500, error_messages={"required": _REASON})


class CountForm(forms.Form):
    counts = forms.ChoiceField(label="What counts as opened or clicked", choices=_COUNTS, widget=forms.RadioSelect)
    reason = forms.CharField(label="Reason (kept with the event)", max_length=500, error_messages={"required": _REASON})


class HostForm(forms.Form):
    domain = forms.ChoiceField(label="Sender domain", choices=[])
    host = forms.CharField(label="Tracking host; empty: over the portal’s address", max_length=255, required=False)
    reason = forms.CharField(label="Reason (kept with the event)", max_length=500, error_messages={"required": _REASON})

    def __init__(self, domains: list[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["domain"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(one, one) for one in domains]


class NetworkForm(forms.Form):
    network = forms.CharField(label="Network (192.0.2.0/24) or one address", max_length=64)
    means = forms.ChoiceField(label="What it is", choices=_MEANINGS)
    note = forms.CharField(label="Note: whose it is", max_length=200, required=False)
    reason = forms.CharField(label="Reason (kept with the event)", max_length=500, error_messages={"required": _REASON})


class ForgetForm(forms.Form):
    network = forms.ChoiceField(label="Network", choices=[])
    reason = forms.CharField(label="Reason (kept with the event)", max_length=500, error_messages={"required": _REASON})

    def __init__(self, known: list[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["network"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(one, one) for one in known]


@require_safe
@permission(Permission.SEARCH)
@shielded
def tracking(request: StaffRequest) -> HttpResponse:
    """Figures by day and category."""
    days = request.GET.get("days", "30")
    chosen = days if days in dict(_DAYS) else "30"
    category = request.GET.get("category", "")
    category = category if category in CATEGORIES else ""
    today = clock.now() // _DAY_US
    found = select.access_report(
        request.desk.org, request.desk.actor, first=today - int(chosen) + 1, last=today, category=category
    )
    context = {
        "lines": [_line(one) for one in found.lines],
        "total": {"opened": _split(found.opened), "clicked": _split(found.clicked)},
        "counts": dict(_COUNTS)[found.counts],
        "watched": any(one.on for one in select.settings(request.desk.org).watched),
        "days": _DAYS, "chosen": chosen, "categories": [(name, _NAMES[name]) for name in CATEGORIES],
        "category": category, "chosen_category": _NAMES.get(category, "All"),
        "may_set": request.desk.may(Permission.TRACKING), "now": clock.now(),
    }  # fmt: skip
    return render(request, "console/tracking.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.TRACKING)
@shielded
def settings(request: StaffRequest) -> HttpResponse:
    """What is watched, category by category."""
    if request.method != "POST":
        return _settings(request)
    form = WatchForm(request.POST)
    if not form.is_valid():
        return _settings(request, watch=form, status=422)
    given = form.cleaned_data
    try:
        changed = acts.watch(
            request.desk.org, given["category"], opens=given["opens"], clicks=given["clicks"],
            attestation=given["attestation"], actor=request.desk.actor, reason=given["reason"],
        )  # fmt: skip
    except Refused as refused:
        form.add_error("attestation" if refused.code == "attestation-needed" else None, refused.public)
        return _settings(request, watch=form, status=422)
    messages.success(
        request, "Set; the engines know within two seconds." if changed else "It was so already.", extra_tags="console"
    )
    return redirect("console:tracking-settings")


@require_POST
@permission(Permission.TRACKING)
@shielded
def count(request: StaffRequest) -> HttpResponse:
    form = CountForm(request.POST)
    if not form.is_valid():
        return _settings(request, counting=form, status=422)
    acts.count_as(
        request.desk.org, form.cleaned_data["counts"], actor=request.desk.actor, reason=form.cleaned_data["reason"]
    )
    messages.success(request, "Set; all figures say so at once, for the past too.", extra_tags="console")
    return redirect("console:tracking-settings")


@require_POST
@permission(Permission.TRACKING)
@shielded
def host(request: StaffRequest) -> HttpResponse:
    form = HostForm(_domains(request), request.POST)
    if not form.is_valid():
        return _settings(request, hosting=form, status=422)
    given, desk = form.cleaned_data, request.desk
    try:
        if given["host"]:
            acts.put_host(desk.org, given["domain"], given["host"], actor=desk.actor, reason=given["reason"])
        else:
            acts.remove_host(desk.org, given["domain"], actor=desk.actor, reason=given["reason"])
    except NotFound:
        form.add_error("host", "This domain has no tracking host.")
        return _settings(request, hosting=form, status=422)
    except Refused as refused:
        form.add_error("host", refused.public)
        return _settings(request, hosting=form, status=422)
    messages.success(request, "Set; links of mail sent from now on lead over it.", extra_tags="console")
    return redirect("console:tracking-settings")


@require_POST
@permission(Permission.TRACKING)
@shielded
def network(request: StaffRequest) -> HttpResponse:
    """What a network is said to be."""
    form = NetworkForm(request.POST, auto_id="id_network_%s")
    if not form.is_valid():
        return _settings(request, naming=form, status=422)
    given, desk = form.cleaned_data, request.desk
    try:
        changed = networks.add(
            desk.org, given["network"], given["means"], note=given["note"], actor=desk.actor, reason=given["reason"]
        )
    except Refused as refused:
        form.add_error("network", refused.public)
        return _settings(request, naming=form, status=422)
    said = "Named; it holds within a minute, for what comes from then on." if changed else "It was so already."
    messages.success(request, said, extra_tags="console")
    return redirect("console:tracking-settings")


@require_POST
@permission(Permission.TRACKING)
@shielded
def forget_network(request: StaffRequest) -> HttpResponse:
    form = ForgetForm(_networks(request), request.POST, auto_id="id_forget_%s")
    if not form.is_valid():
        return _settings(request, forgetting=form, status=422)
    desk = request.desk
    networks.remove(desk.org, form.cleaned_data["network"], actor=desk.actor, reason=form.cleaned_data["reason"])
    messages.success(request, "Not known any more; the table that ships decides again.", extra_tags="console")
    return redirect("console:tracking-settings")


def _networks(request: StaffRequest) -> list[str]:
    return [one.network for one in networks.known(request.desk.org)]


def _settings(
    request: StaffRequest,
    *,
    watch: WatchForm | None = None,
    counting: CountForm | None = None,
    hosting: HostForm | None = None,
    naming: NetworkForm | None = None,
    forgetting: ForgetForm | None = None,
    status: int = 200,
) -> HttpResponse:
    found = select.settings(request.desk.org)
    forms_ = []
    for one in found.watched:
        wrong = watch is not None and watch.data.get("category") == one.category
        initial = {"category": one.category, "opens": one.opens, "clicks": one.clicks}
        form = watch if wrong else WatchForm(initial=initial, auto_id=f"id_{one.category}_%s")
        forms_.append({"name": _NAMES[one.category], "set": one, "form": form, "open": wrong or one.on})
    context = {
        "watches": forms_,
        "counting": counting or CountForm(initial={"counts": found.counts.value}, auto_id="id_counts_%s"),
        "hosting": hosting or HostForm(_domains(request), auto_id="id_host_%s"),
        "hosts": sorted(found.hosts.items()),
        "naming": naming or NetworkForm(auto_id="id_network_%s"),
        "forgetting": forgetting or ForgetForm([one.network for one in found.networks], auto_id="id_forget_%s"),
        "networks": [_network(one, shared=False) for one in found.networks]
        + [_network(one, shared=True) for one in found.shared],
        "own_networks": bool(found.networks),
        "now": clock.now(),
    }
    return render(request, "console/tracking-settings.html", context, status=status)


def _network(one: Known, *, shared: bool) -> dict[str, Any]:
    said = dict(_MEANINGS).get(one.means, one.means).partition(":")[0]
    return {"network": one.network, "means": said, "note": one.note, "shared": shared}


def _domains(request: StaffRequest) -> list[str]:
    return sorted(row.domain for row in tenancy.domains(request.desk.org))


def _line(one: Line) -> dict[str, Any]:
    shown = date.fromisoformat(one.day)
    return {
        "day": f"{shown.day} {shown:%b %Y}",
        "category": _NAMES.get(one.category, one.category),
        "opened": _split(one.opened),
        "clicked": _split(one.clicked),
    }


def _split(one: Split) -> dict[str, Any]:
    """`rate`: "" where nothing was sent with it on, or more than was."""
    rate = f"{100 * one.counted / one.sent:.1f} %" if one.sent and one.counted <= one.sent else ""
    return {
        "sent": one.sent, "counted": one.counted, "rate": rate, "human": one.human, "automated": one.automated,
        "undetermined": one.undetermined,
    }  # fmt: skip
