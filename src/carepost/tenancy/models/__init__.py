"""The tables of tenancy. Times are UTC integer microseconds (0: never); ids are UUIDv7."""

from carepost.tenancy.models.access import ApiKey, Credential, Route
from carepost.tenancy.models.base import OrgModel, fresh_id
from carepost.tenancy.models.holds import LegalHold
from carepost.tenancy.models.keys import OrgEpoch, OrgKey, Suppression
from carepost.tenancy.models.organisations import DkimKey, DomainClaim, Organisation, SenderDomain, Unit
from carepost.tenancy.models.outbox import OutboxEvent, OutboxHead
from carepost.tenancy.models.policy import PolicyVersion, Rule
from carepost.tenancy.models.retention import Retention
from carepost.tenancy.models.staff import Membership, SignInLink, Staff

__all__ = [
    "ApiKey",
    "Credential",
    "DkimKey",
    "DomainClaim",
    "LegalHold",
    "Membership",
    "OrgEpoch",
    "OrgKey",
    "OrgModel",
    "Organisation",
    "OutboxEvent",
    "OutboxHead",
    "PolicyVersion",
    "Retention",
    "Route",
    "Rule",
    "SenderDomain",
    "SignInLink",
    "Staff",
    "Suppression",
    "Unit",
    "fresh_id",
]
