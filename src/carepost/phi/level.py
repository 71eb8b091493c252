"""The level of one recipient's copy: the address of a person outside is itself an identifier (phi-dlp 4)."""

from carepost.phi import lists
from carepost.phi.types import Findings, Level, Recipient


def individual(recipient: Recipient) -> bool:
    """Whether the address stands for one person outside. What cannot be told is taken for a person."""
    if recipient.individual is not None:
        return recipient.individual
    local = recipient.address.rpartition("@")[0].lower().partition("+")[0]
    return not recipient.own and local not in lists.desks()


def level(findings: Findings, recipient: Recipient) -> Level:
    """What this recipient's copy says."""
    return findings.level_individual if individual(recipient) else findings.level
