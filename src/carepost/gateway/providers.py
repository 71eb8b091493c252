"""What all tenants of a provider share, and how a connection to it begins."""

from typing import Final

import msgspec

from carepost.directory.gateways import GOOGLE_NAMES, MICROSOFT_NAMES, Settings

MICROSOFT: Final = "microsoft365"
GOOGLE: Final = "google"
OTHER: Final = "other"


class Provider(msgspec.Struct, frozen=True):
    id: str
    label: str
    #: names in the certificate its servers show when they hand mail over
    names: tuple[str, ...]
    #: networks they come from, as the provider publishes them; an administrator may change them
    networks: tuple[str, ...]
    #: the header that names the tenant
    originator: bool
    #: what its tenants' SPF records include; "": not known
    spf: str
    #: where mail goes back to, with what to put in for the tenant
    host: str


PROVIDERS: Final = {
    MICROSOFT: Provider(
        MICROSOFT,
        "Microsoft 365",
        MICROSOFT_NAMES,
        ("40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "104.47.0.0/17", "2a01:111:f400::/48", "2a01:111:f403::/48"),
        True,
        "spf.protection.outlook.com",
        "TENANT.mail.protection.outlook.com",
    ),
    GOOGLE: Provider(
        GOOGLE,
        "Google Workspace",
        GOOGLE_NAMES,
        (
            "35.190.247.0/24", "64.233.160.0/19", "66.102.0.0/20", "66.249.80.0/20", "72.14.192.0/18", "74.125.0.0/16",
            "108.177.8.0/21", "173.194.0.0/16", "209.85.128.0/17", "216.58.192.0/19", "216.239.32.0/19",
            "2404:6800:4000::/36", "2607:f8b0:4000::/36", "2a00:1450:4000::/36", "2800:3f0:4000::/36",
            "2c0f:fb50:4000::/36",
        ),
        False,
        "_spf.google.com",
        "smtp-relay.gmail.com",
    ),
    OTHER: Provider(OTHER, "Another mail system", (), (), False, "", "mail.example.com"),
}  # fmt: skip


def begin(provider: Provider) -> Settings:
    """The settings of a new connection."""
    return Settings(shared_names=provider.names, shared_networks=provider.networks)
