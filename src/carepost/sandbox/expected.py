"""What must become of a message to each sandbox domain (DESIGN 6): one table for the demo, `make run` and tests.

Under the sandbox's settings: default floor VERIFIED, rule `portal-by-mail` on, the certificates of `owners` known.
"""

import msgspec

from carepost.sandbox.domains import BY_NAME, DOMAINS


class Result(msgspec.Struct, frozen=True):
    """State, method and assurance label as the API words them. `method` and `assurance` are "" where nothing was
    achieved; `rule` is "" where any may stand; `reason` names the decision's code where DESIGN fixes one."""

    state: str
    method: str = ""
    assurance: str = ""
    rule: str = ""
    reason: str = ""


class Expectation(msgspec.Struct, frozen=True):
    domain: str
    #: what the recipient's side offers, in words
    offers: str
    without_code: Result
    #: when the message carries an access code
    with_code: Result
    #: SMTP attempts a message takes until it is sent or failed; 0: not fixed (deferred, or not sent by SMTP)
    attempts: int = 0
    #: the sender gets a delivery report
    bounces: bool = False
    #: how the portal's notice arrives: "tls", "clear", or "" for not at all
    notice: str = ""
    #: the server sees the message itself
    sees_message: bool = False


def _sent(assurance: str) -> Result:
    return Result("sent", "tls", assurance)


BY_SMIME = Result("sent", "smime", "MESSAGE")
BY_OPENPGP = Result("sent", "openpgp", "MESSAGE")
BY_MAIL = Result("deposited", "portal", "MAILBOX", "portal-by-mail", "portal-by-mail")
BY_CODE = Result("deposited", "portal", "PORTAL", "", "portal-access")
NEEDS_CODE = Result("held", reason="needs-access-code")
DEFERRED = Result("deferred", "tls")
FAILED = Result("failed", "tls")


def _row(
    name: str,
    without: Result,
    with_code: Result | None = None,
    *,
    attempts: int = 0,
    bounces: bool = False,
    notice: str = "",
) -> Expectation:
    sees = without.state == "sent"
    offers = BY_NAME[name].offers
    return Expectation(name, offers, without, with_code or without, attempts, bounces, notice, sees)


EXPECTED = (
    _row("verified.test", _sent("VERIFIED"), attempts=1),
    _row("mtasts.test", _sent("AUTHENTICATED"), attempts=1),
    _row("dane.test", _sent("AUTHENTICATED"), attempts=1),
    _row("selfsigned.test", BY_MAIL, BY_CODE, notice="tls"),
    _row("expired.test", BY_MAIL, BY_CODE, notice="tls"),
    _row("wrongname.test", BY_MAIL, BY_CODE, notice="tls"),
    _row("plain.test", NEEDS_CODE, BY_CODE, notice="clear"),
    # Once seen with TLS, so even the notice never goes in clear (DESIGN 3).
    _row("stripped.test", NEEDS_CODE, BY_CODE),
    _row("smime.test", BY_SMIME, attempts=2),
    _row("pgp.test", BY_OPENPGP, attempts=2),
    _row("greylist.test", _sent("VERIFIED"), attempts=2),
    _row("slow.test", _sent("VERIFIED"), attempts=1),
    _row("full.test", DEFERRED),
    _row("bounce.test", FAILED, attempts=1, bounces=True),
    _row("hangup.test", DEFERRED),
)

BY_DOMAIN = {row.domain: row for row in EXPECTED}

assert tuple(row.domain for row in EXPECTED) == tuple(domain.name for domain in DOMAINS)


def unknown(row: Expectation) -> Expectation:
    """The same side, for somebody whose certificate nobody knows."""
    if row.without_code.assurance != "MESSAGE":
        return row
    return _row(row.domain, BY_MAIL, BY_CODE, notice="tls")


def differs(row: Expectation, *, code: bool, state: str, method: str, assurance: str, rule: str = "") -> str:
    """ "" when a delivery ended as the table says, else what was expected, in words."""
    want = row.with_code if code else row.without_code
    wrong = [
        f"{name} {expected} (not {got or 'none'})"
        for name, expected, got in (
            ("state", want.state, state),
            ("method", want.method, method),
            ("assurance", want.assurance, assurance),
            ("rule", want.rule, rule),
        )
        if expected and expected != got
    ]
    return ", ".join(wrong)
