"""What is entered about connections in front of the organisation's own mail system."""

from typing import Any, Final

import msgspec
from django import forms

from carepost.console import fields
from carepost.directory.gateways import Login, Settings
from carepost.gateway.providers import PROVIDERS

_MODES: Final = (
    ("direct", "To the recipients' own hosts, from here"),
    ("return", "Back through your own mail system, after protection"),
)
_LOGINS: Final = (
    ("", "Not at all"),
    ("password", "With a password"),
    ("oauth", "With OAuth (client or refresh token)"),
)


def _lines(label: str) -> forms.CharField:
    return fields.lines(label, 8000, rows=3)


def _secret(label: str) -> forms.CharField:
    widget = forms.PasswordInput({"autocomplete": "new-password"})
    return forms.CharField(label=label, required=False, max_length=1000, strip=False, widget=widget)


class NewGatewayForm(forms.Form):
    name = forms.CharField(label="Name", max_length=200, widget=forms.TextInput({"autocomplete": "off"}))
    provider = forms.ChoiceField(label="Your mail system", choices=[(p.id, p.label) for p in PROVIDERS.values()])


class GatewayForm(forms.Form):
    mode = forms.ChoiceField(label="Protected mail goes", choices=_MODES)
    domains = fields.text("Sender domains, separated by blanks (empty: all of yours)", longest=2000)
    originator = fields.text("Tenant's domain in X-OriginatorOrg (empty: a sender domain)")
    keys = _lines("Your own client certificate: SHA-256 of its public key, one a line (needs no header)")
    credential = fields.text("SMTP credential your system signs in with (user name)")
    shared_names = _lines("Names in the provider's certificate, one a line (shared by all its tenants)")
    shared_networks = _lines("Addresses of the provider, one a line (shared by all its tenants)")
    host = fields.text("Your own mail host", "TENANT.mail.protection.outlook.com")
    port = forms.IntegerField(label="Its port", min_value=1, max_value=65_535, initial=25)
    ca = _lines("PEM of the CA that vouches for it (empty: the public ones)")
    vouched = forms.BooleanField(
        label="I attest that my mail system sends on by verified TLS only (say in the reason how)", required=False
    )
    inbound = forms.BooleanField(label="Mail from the world comes in here, is opened, and goes on", required=False)
    banner = forms.BooleanField(label="What was opened says so at its head", required=False)
    forwards = forms.BooleanField(
        label="What a mailbox of mine forwards for somebody outside is taken, and sent under my own address",
        required=False,
    )
    callahead = forms.BooleanField(
        label="My mail host is asked for each recipient before mail from the world is taken", required=False
    )
    reason = fields.text("Reason (kept with the event)", longest=500)

    @classmethod
    def of(cls, settings: Settings) -> "GatewayForm":
        given = msgspec.structs.asdict(settings)
        given["domains"] = " ".join(settings.domains)
        for name in ("keys", "shared_names", "shared_networks"):
            given[name] = "\n".join(given[name])
        return cls(initial=given)

    def settings(self) -> Settings:
        given = self.cleaned_data
        return Settings(
            mode=given["mode"], domains=tuple(given["domains"].split()), credential=given["credential"].strip(),
            keys=tuple(given["keys"].split()), shared_names=tuple(given["shared_names"].split()),
            shared_networks=tuple(given["shared_networks"].split()), originator=given["originator"].strip(),
            host=given["host"].strip(), port=given["port"], ca=given["ca"].strip(), vouched=given["vouched"],
            inbound=given["inbound"], banner=given["banner"], callahead=given["callahead"],
            forwards=given["forwards"],
        )  # fmt: skip


class CheckForm(forms.Form):
    """A check that really tries the connection."""

    mailbox = fields.text("A mailbox of yours to ask for (may be left out)", "office@clinic.example")
    send = forms.BooleanField(
        label="Hand a test message over in its name; it must come back here by your rule", required=False
    )


class LoginForm(forms.Form):
    """What is secret in it is written once and shown never."""

    kind = forms.ChoiceField(label="We sign in at your mail host", choices=_LOGINS, required=False)
    username = fields.text("As (mailbox or account)")
    password = _secret("Password")
    token_url = fields.text("OAuth: token address", "https://login.microsoftonline.com/TENANT/oauth2/v2.0/token", 1000)
    client_id = fields.text("OAuth: client id", longest=1000)
    client_secret = _secret("OAuth: client secret")
    refresh_token = _secret("OAuth: refresh token (instead of the client's own right)")
    scope = fields.text("OAuth: scope", "https://outlook.office365.com/.default", 1000)
    certificate = _lines("Client certificate we show there, with its chain (PEM)")
    key = fields.lines("Its key (PEM)", 20_000, rows=3)

    def login(self) -> Login:
        given: dict[str, Any] = dict(self.cleaned_data)
        plain = ("username", "token_url", "client_id", "scope", "certificate", "key")
        return Login(**{name: value.strip() if name in plain else value for name, value in given.items()})
