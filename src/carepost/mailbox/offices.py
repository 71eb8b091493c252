"""What pages and notices may say of an organisation, inherited domain -> unit -> organisation."""

from uuid import UUID

from django.conf import settings

from carepost.ground.config import Config
from carepost.mailbox.notices import Office
from carepost.tenancy.models import Organisation, SenderDomain


def face_url(config: Config) -> str:
    """Where this installation's portal answers when the organisation names no host of its own."""
    return config.portal_url or config.address(config.port_portal)


def office_of(org: bytes, domain: str = "") -> Office:
    """Raises Organisation.DoesNotExist for an organisation that is not here."""
    row = Organisation.objects.get(id=UUID(bytes=org))
    sender = SenderDomain.objects.select_related("unit").filter(org=row, domain=domain).first() if domain else None
    unit = sender.unit if sender else None
    levels = [level for level in (sender, unit, row) if level is not None]
    return Office(
        id=org,
        notice_name=next((level.notice_name for level in levels if level.notice_name), row.name),
        phone=next((level.phone for level in levels if level.phone), ""),
        portal_url=(row.portal_url or face_url(settings.CAREPOST_CONFIG)).rstrip("/"),
        portal_address=row.portal_address,
    )
