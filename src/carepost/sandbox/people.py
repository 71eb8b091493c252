"""The sandbox's people and the sample messages sent to them: invented persons, obviously synthetic health data."""

import base64

import msgspec

from carepost.ground import clock, ids
from carepost.rfc import compose
from carepost.rfc.address import Mailbox
from carepost.sandbox.domains import DOMAINS, ORGANISATION
from carepost.wire import rest

#: in every sample's subject, text and attachment: what a search of disks, logs and wires looks for
CANARY = "TEST-0001"
SENDER = f"nora.sample@{ORGANISATION}"
SENDER_NAME = "Nora Sample, RN"


class Sample(msgspec.Struct, frozen=True):
    """One message to one person. `code`: the access code agreed with that person, "" when none was."""

    domain: str
    name: str
    address: str
    subject: str
    text: str
    html: str
    attachment: compose.Attachment
    code: str = ""


#: domains whose side takes mail in clear: only an agreed code opens the portal for them
CODES = {"plain.test": "heron-4172-lantern", "stripped.test": "maple-9306-anchor"}

_GIVEN = (
    "Testina", "Mustermann", "Placeholda", "Fixture", "Dummy", "Samplia", "Loremia", "Examplo", "Exampla", "Faux",
    "Mockwell", "Specimena", "Demona", "Syntha", "Protona",
)  # fmt: skip


def _sample(number: int, domain: str, code: str) -> Sample:
    given = _GIVEN[number % len(_GIVEN)]
    name = f"{given} Sample"
    mrn = f"TEST-{number + 1:04d}"
    text = (
        f"Dear {name},\r\n\r\n"
        f"This is a made-up message about a made-up person (record {CANARY}, MRN {mrn}).\r\n"
        "Your invented laboratory result of 1 January is ready: glucose 5.1 mmol/l, which is in the usual range.\r\n"
        "The report is attached.\r\n\r\n"
        f"{SENDER_NAME}\r\nDemo Clinic (nobody works here)\r\n"
    )
    html = (
        f"<p>Dear {name},</p><p>This is a made-up message about a made-up person "
        f"(record <strong>{CANARY}</strong>, MRN {mrn}).</p>"
        "<table><tr><th>Test</th><th>Result</th><th>Usual range</th></tr>"
        "<tr><td>Glucose</td><td>5.1 mmol/l</td><td>3.9 to 5.6</td></tr></table>"
        f"<p>The report is attached.</p><p>{SENDER_NAME}<br>Demo Clinic (nobody works here)</p>"
    )
    report = f"Synthetic laboratory report\r\nName: {name}\r\nMRN: {mrn}\r\nRecord: {CANARY}\r\nGlucose: 5.1 mmol/l\r\n"
    return Sample(
        domain=domain,
        name=name,
        address=f"{given.lower()}.sample@{domain}",
        subject=f"Laboratory result of {name} ({CANARY})",
        text=text,
        html=html,
        attachment=compose.Attachment(f"report-{mrn}.txt", "text/plain", report.encode()),
        code=code,
    )


#: one person in each domain; an access code where the expected outcome needs one
SAMPLES = tuple(_sample(n, domain.name, CODES.get(domain.name, "")) for n, domain in enumerate(DOMAINS))

#: the same two sides without an access code: these must be held
WITHOUT_CODE = tuple(
    msgspec.structs.replace(sample, address=f"nocode.{sample.address}", code="") for sample in SAMPLES if sample.code
)

#: what must never be found in clear on a disk, in a log, or on a wire that is not protected
CANARIES = (CANARY, "Testina Sample", "glucose 5.1 mmol/l", "nora.sample")


def request(sample: Sample) -> rest.Message:
    """The sample as `POST /api/v1/messages` takes it."""
    file = sample.attachment
    encoded = base64.b64encode(file.data).decode()
    return rest.Message(
        from_=rest.Mailbox(SENDER, SENDER_NAME),
        to=(rest.Mailbox(sample.address, sample.name),),
        subject=sample.subject,
        text=sample.text,
        html=sample.html,
        attachments=(rest.Attachment(file.filename, encoded, file.content_type),),
        protection=rest.ProtectionAsk(access=rest.AccessAsk(code=sample.code)) if sample.code else None,
    )


def mime(sample: Sample) -> bytes:
    """The sample as a mail program submits it by SMTP, CRLF line ends; an access code has no place there."""
    return compose.build(
        from_=Mailbox(SENDER_NAME, SENDER),
        to=(Mailbox(sample.name, sample.address),),
        subject=sample.subject,
        text=sample.text,
        html=sample.html,
        attachments=(sample.attachment,),
        message_id=f"<{ids.text(ids.new())}@{ORGANISATION}>",
        at=clock.now(),
    )
