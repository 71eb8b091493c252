"""The sandbox's organisation `demo`: made once, with a sender domain, an administrator, a key and a credential."""

from carepost.ground import home
from carepost.ground.config import Config
from carepost.keyring import acts
from carepost.processes.bootstrapped import Bootstrapped
from carepost.sandbox import owners, records
from carepost.tenancy import scope
from carepost.tenancy.actions import access, domains, organisations, staff
from carepost.tenancy.models import DkimKey, Organisation
from carepost.tenancy.permissions import BOOTSTRAP, Role

SLUG, DOMAIN = "demo", "clinic.test"
ADMINISTRATOR = "administrator@clinic.test"


def ensure(opened: home.Home, settings: Config) -> Bootstrapped:
    """Nothing but a look when the home is real, or `demo` is there already."""
    with scope.every("the first organisation of a home"):
        found = Organisation.objects.filter(slug=SLUG).first()
        if not opened.sandbox or found is not None:
            empty = not Organisation.objects.exists()
            return Bootstrapped(org=str(found.pk) if found else "", empty=empty)
    return _make(opened, settings)


def _make(opened: home.Home, settings: Config) -> Bootstrapped:
    org = organisations.create_organisation(
        SLUG,
        "Demo Clinic",
        actor=BOOTSTRAP,
        notice_name="Demo Clinic",
        phone="+1 555 0100",
        auditor=f"auditor@{DOMAIN}",
        portal_url=settings.portal_url or settings.address(settings.port_portal),
        portal_address=f"portal@{DOMAIN}",
        portal_by_mail=True,
    )
    domains.add_domain(org.pk, DOMAIN, actor=BOOTSTRAP)
    with scope.organisation(org.pk):
        for dkim in DkimKey.objects.filter(domain__domain=DOMAIN):
            records.publish(opened.world, f"{dkim.selector}._domainkey.{DOMAIN}", "TXT", dkim.record)
    for address, certificate in owners.published(opened.world).items():
        acts.add_key(org.pk, address, certificate, actor=BOOTSTRAP, reason="its owner gave it to us (sandbox)")
    invitation = staff.add_staff(
        org.pk, ADMINISTRATOR, "Ada Administrator", Role.ADMINISTRATOR, actor=BOOTSTRAP, reason="first administrator"
    )
    key = access.add_key(org.pk, "demo", ("send", "messages", "search", "proof", "preview"), actor=BOOTSTRAP)
    credential = access.add_credential(org.pk, "demo", actor=BOOTSTRAP)
    return Bootstrapped(
        welcome=invitation.path,
        org=str(org.pk),
        api_key=key.secret,
        smtp_username=credential.username,
        smtp_password=credential.password,
    )
