"""Who may do what: closed lists of permissions, roles and scopes, and the one question `authorise`."""

import enum
import uuid

from carepost.ground.errors import Refused
from carepost.tenancy.models import ApiKey, Membership
from carepost.wire.types import Actor


class Permission(enum.StrEnum):
    #: lists and search results
    SEARCH = "search"
    #: a message's page: headers, timeline, body
    READ = "read"
    #: hold, release, retry
    RELEASE = "release"
    RETRACT = "retract"
    PROOF = "proof"
    PREVIEW = "preview"
    SEND = "send"
    #: queue, lag, clock, disk; no PHI
    HEALTH = "health"
    #: the audit log and its verification
    AUDIT = "audit"
    #: the organisation's own settings and units
    ORGANISATION = "organisation"
    DOMAINS = "domains"
    STAFF = "staff"
    #: API keys and SMTP credentials
    KEYS = "keys"
    #: certificates of recipients, and the organisation's own
    KEYRING = "keyring"
    #: protection rules
    POLICY = "policy"
    ROUTES = "routes"
    SUPPRESSION = "suppression"
    WEBHOOKS = "webhooks"
    #: what messages are made from
    TEMPLATES = "templates"
    #: whether opens and clicks are watched, and what of them counts
    TRACKING = "tracking"
    #: sending addresses, pools, limits at providers, and lifting what a provider asked for
    SENDING = "sending"


class Role(enum.StrEnum):
    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    SENDER = "sender"


GRANTS: dict[str, frozenset[Permission]] = {
    Role.ADMINISTRATOR: frozenset(Permission),
    Role.OPERATOR: frozenset({
        Permission.SEARCH, Permission.READ, Permission.RELEASE, Permission.RETRACT, Permission.PROOF,
        Permission.PREVIEW, Permission.SEND, Permission.HEALTH, Permission.SUPPRESSION, Permission.TEMPLATES,
    }),
    Role.AUDITOR: frozenset({Permission.SEARCH, Permission.PROOF, Permission.AUDIT, Permission.HEALTH}),
    Role.SENDER: frozenset({Permission.SEND, Permission.PREVIEW}),
}  # fmt: skip


class Scope(enum.StrEnum):
    """What an API key may do; each stands for permissions."""

    SEND = "send"
    MESSAGES = "messages"
    SEARCH = "search"
    PROOF = "proof"
    PREVIEW = "preview"
    RETRACT = "retract"
    DOMAINS = "domains"
    SUPPRESSIONS = "suppressions"
    #: recipients' certificates and keys
    CERTIFICATES = "certificates"
    #: the organisation's own keys, and its authority; never their private parts
    OWN_KEYS = "own-keys"
    WEBHOOKS = "webhooks"
    TEMPLATES = "templates"
    TRACKING = "tracking"
    SENDING = "sending"
    #: how the domains that mail goes to stand, and what changed
    DESTINATIONS = "destinations"
    #: pinned next hops: where a domain's mail goes
    ROUTES = "routes"
    KEYS = "keys"
    EVENTS = "events"
    #: what waits for a person, and deciding about it
    HELD = "held"
    #: acts on all messages of a search, and exports; each needs the scope of its act besides
    JOBS = "jobs"
    #: everything the key sends is a test (directory.keywords)
    TEST = "test"


SCOPES: dict[str, frozenset[Permission]] = {
    Scope.SEND: frozenset({Permission.SEND}),
    Scope.MESSAGES: frozenset({Permission.READ, Permission.SEARCH}),
    Scope.SEARCH: frozenset({Permission.SEARCH}),
    Scope.PROOF: frozenset({Permission.PROOF}),
    Scope.PREVIEW: frozenset({Permission.PREVIEW}),
    Scope.RETRACT: frozenset({Permission.RETRACT}),
    Scope.DOMAINS: frozenset({Permission.DOMAINS}),
    Scope.SUPPRESSIONS: frozenset({Permission.SUPPRESSION}),
    Scope.CERTIFICATES: frozenset({Permission.KEYRING}),
    Scope.OWN_KEYS: frozenset({Permission.KEYRING}),
    Scope.WEBHOOKS: frozenset({Permission.WEBHOOKS}),
    Scope.TEMPLATES: frozenset({Permission.TEMPLATES}),
    Scope.TRACKING: frozenset({Permission.TRACKING}),
    Scope.SENDING: frozenset({Permission.SENDING}),
    Scope.DESTINATIONS: frozenset({Permission.HEALTH}),
    Scope.ROUTES: frozenset({Permission.ROUTES}),
    Scope.KEYS: frozenset({Permission.KEYS}),
    Scope.EVENTS: frozenset({Permission.AUDIT}),
    Scope.HELD: frozenset({Permission.RELEASE}),
    Scope.JOBS: frozenset(),
    Scope.TEST: frozenset(),
}

#: the command line, on the machine itself, with the keyring in its hands
COMMAND_LINE = Actor("system", "command-line")
#: the supervisor making a sandbox home
BOOTSTRAP = Actor("system", "bootstrap")


class Forbidden(Refused):
    def __init__(self) -> None:
        super().__init__("forbidden", "You are not allowed to do this here; an administrator can grant it.")


def permissions_of_roles(roles: frozenset[str]) -> frozenset[Permission]:
    granted: set[Permission] = set()
    for role in roles:
        granted |= GRANTS.get(role, frozenset())
    return frozenset(granted)


def permissions_of_scopes(scopes: frozenset[str]) -> frozenset[Permission]:
    granted: set[Permission] = set()
    for scope in scopes:
        granted |= SCOPES.get(scope, frozenset())
    return frozenset(granted)


def roles_of(org: uuid.UUID, staff: uuid.UUID) -> frozenset[str]:
    """The live roles of an active person in one organisation."""
    live = Membership.objects.filter(org_id=org, staff_id=staff, revoked_at=0, staff__is_active=True)
    return frozenset(live.values_list("role", flat=True))


def holders(org: uuid.UUID, permission: Permission) -> frozenset[uuid.UUID]:
    """The active people of one organisation who hold a permission in it now."""
    roles = [role for role, granted in GRANTS.items() if permission in granted]
    live = Membership.objects.filter(org_id=org, role__in=roles, revoked_at=0, staff__is_active=True)
    return frozenset(live.values_list("staff_id", flat=True))


def authorise(actor: Actor, permission: Permission, org: uuid.UUID) -> None:
    """Raises Forbidden unless this actor holds this permission in this organisation, now."""
    if actor.kind == "system":
        return
    granted: frozenset[Permission] = frozenset()
    if actor.kind == "staff":
        granted = permissions_of_roles(roles_of(org, _uuid(actor.id)))
    elif actor.kind == "key":
        key = ApiKey.objects.filter(org_id=org, pk=_uuid(actor.id), revoked_at=0).first()
        granted = permissions_of_scopes(frozenset(key.scopes.split())) if key is not None else frozenset()
    if permission not in granted:
        raise Forbidden


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Forbidden from None
