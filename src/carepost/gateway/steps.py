"""The set-up of a connection, step by step: what to enter where in the other system, and whether it works."""

from typing import Final

import msgspec

from carepost.directory.gateways import LOOP_FIELD, RETURN, SECRET_FIELD
from carepost.gateway import seen
from carepost.gateway.providers import GOOGLE, MICROSOFT
from carepost.gateway.select import Last, Shown

#: shown where the secret stood once
HIDDEN: Final = "(shown when it was made; make a new one to see one again)"
#: cause -> what was wrong, and the mend
CAUSES: Final = {
    "gateway-secret": "the message carried no valid secret: check the rule, its value and what it applies to",
    "gateway-secret-twice": "the message carried the secret more than once: let one rule alone set it",
    "gateway-sender": "From or MAIL FROM was not in a sender domain of this connection: add it, or limit the rule",
    "gateway-forward": "a mailbox forwards mail of somebody outside: allow forwarding below, or end it there",
    "gateway-originator": "the provider named another tenant: correct the tenant's domain below",
    "gateway-peer": "the server was not known for your organisation: compare its certificate and address below",
    "gateway-loop": "a message came back that had been here: the rule's exception is missing",
    "sign-in-refused": "your mail host did not take our sign-in: check account and secret",
    "sign-in-no-token": "the token address gave no token: check client id, secret and its end",
    "sign-in-not-offered": "your mail host offered no way of signing in that is set here",
}  # fmt: skip


class Value(msgspec.Struct, frozen=True):
    label: str
    value: str
    #: may be copied
    copies: bool = True


class Step(msgspec.Struct, frozen=True):
    title: str
    text: str
    values: tuple[Value, ...] = ()
    #: good | bad | wait | none (nothing to check here)
    tone: str = "none"
    word: str = ""
    detail: str = ""
    last: Last | None = None


class Here(msgspec.Struct, frozen=True):
    """This system as the other one must know it. `port` 0: no listener is set."""

    host: str
    port: int
    mx_port: int
    domains: tuple[str, ...]


def steps(one: Shown, here: Here, secret: str = "") -> tuple[Step, ...]:
    """`secret`: where it was just made."""
    found = [_listener(one, here), _connector(one, here), _field(one, secret)]
    if one.settings.mode == RETURN:
        found += [_back(one), _exception(one)]
    if one.settings.inbound:
        found.append(_inbound(one, here))
    return tuple(found)


def _listener(one: Shown, here: Here) -> Step:
    title = "Carepost listens for your mail system"
    if not here.port:
        return Step(
            title, "Set CAREPOST_PORT_GATEWAY and start again. Providers deliver to port 25 of a name of its own: give "
            "this listener an address where port 25 leads to it.", tone="bad", word="Not listening",
        )  # fmt: skip
    text = "Providers deliver to port 25 alone. Give this host name an address at which port 25 leads to this port."
    return Step(title, text, (Value("Host", here.host), Value("Port here", str(here.port))), "good", "Listening")


def _connector(one: Shown, here: Here) -> Step:
    received, refused = one.seen.get(seen.RECEIVED), one.seen.get(seen.REFUSED)
    last = max((last for last in (received, refused) if last is not None), key=lambda last: last.at, default=None)
    tone, word, detail = "wait", "Nothing came yet", "Send a test message from your system to an address outside."
    if last is not None:
        tone, word, detail = "good", "It comes here", "Your mail system reaches Carepost."
    return Step(_CONNECTOR[one.provider.id][0], _CONNECTOR[one.provider.id][1], (
        Value("Smart host", here.host), Value("Certificate to expect (subject)", here.host),
        *(Value("Sender domain", domain) for domain in one.settings.domains or here.domains),
    ), tone, word, detail, last)  # fmt: skip


_CONNECTOR: Final = {
    MICROSOFT: (
        "Outbound connector to Carepost",
        "Exchange admin center, Mail flow, Connectors, Add: from Office 365 to Partner organization. Use it only when "
        "a transport rule redirects to it; route through this smart host; always use TLS, issued by a trusted "
        "authority, with this subject name.",
    ),
    GOOGLE: (
        "Outbound gateway to Carepost",
        "Admin console, Apps, Gmail, Routing, Outbound gateway: enter this host, or add it under Hosts and choose it "
        "in a routing rule for outbound mail. Require TLS and a CA-signed certificate.",
    ),
    "other": (
        "Smart host of your mail system",
        "Let your system hand outgoing mail to this host over STARTTLS and verify its certificate.",
    ),
}  # fmt: skip


def _field(one: Shown, secret: str) -> Step:
    last, refused = one.seen.get(seen.RECEIVED), one.seen.get(seen.REFUSED)
    tone, word, detail, at = "wait", "Nothing proved yet", "Send a test message.", last
    if refused is not None and (last is None or refused.at > last.at):
        tone, word, at = "bad", "Refused", refused
        detail = f"The last message was refused: {CAUSES.get(refused.cause, refused.cause)}."
    elif last is not None:
        tone, word, detail = "good", "Proved", "The last message was your organisation's, and was taken."
    if one.provider.id == MICROSOFT:
        text = (
            "Mail flow, Rules, new rule: applies when the sender is inside and the recipient is outside the "
            "organization; set this message header to this value, and redirect to the connector. Let no other rule "
            "set it: only mail with this value is taken as yours."
        )
    elif one.provider.id == GOOGLE:
        text = (
            "Gmail, Compliance or Routing, Outbound: add custom header with this name and value, for all outbound mail."
        )
    else:
        text = "Let your system add this field to outgoing mail, and remove any that a user wrote."
    if one.settings.keys:
        text += " Where your system shows its own client certificate, the field may be left out."
    if len(one.secrets) > 1:
        text += " Two values count now: when the new one is set, end the older one."
    values = (Value("Header", SECRET_FIELD), Value("Value", secret or HIDDEN, bool(secret)))
    return Step("The header that proves your tenant", text, values, tone, word, detail, at)


def _back(one: Shown) -> Step:
    sent, failed = one.seen.get(seen.SENT), one.seen.get(seen.FAILED)
    tone, word, detail, at = "wait", "Nothing went back yet", "Send a test message.", sent
    if failed is not None and (sent is None or failed.at > sent.at):
        why = CAUSES.get(failed.cause, "see the message's timeline")
        tone, word, detail, at = "bad", "Not taken", f"The last try did not succeed: {why}.", failed
    elif sent is not None:
        tone, word, detail = "good", "Taken", "Your mail host took the last message back."
    text = (
        "Protected mail goes back through this host. Microsoft 365: an inbound connector from your organization's own "
        "server, known by this certificate name or our address; Google: SMTP relay service for our address, or with "
        "sign-in."
    )
    vouched = "yes, attested" if one.settings.vouched else "no: copies that rest on TLS alone go out directly"
    values = (
        Value("Your host", f"{one.settings.host}:{one.settings.port}", copies=False),
        Value("We sign in", one.login or "no", copies=False), Value("Sends on by verified TLS", vouched, copies=False),
    )  # fmt: skip
    return Step("The way back into your system", text, values, tone, word, detail, at)


def _exception(one: Shown) -> Step:
    refused = one.seen.get(seen.REFUSED)
    loops = refused is not None and refused.cause == "gateway-loop"
    text = (
        "In the rule that sends mail here, except messages whose header has this value; a second rule takes the header "
        "out on the way to the recipient. A message that comes here twice is refused."
    )
    return Step(
        "The exception for what comes back", text, (Value("Header", LOOP_FIELD), Value("Value", one.mark)),
        "bad" if loops else "none", "A message came twice" if loops else "", "", refused if loops else None,
    )  # fmt: skip


def _inbound(one: Shown, here: Here) -> Step:
    last = one.seen.get(seen.INBOUND)
    text = (
        "Publish this MX for your domains, and let your mail host take mail from our address alone. What comes "
        "encrypted is opened with your organisation's keys; the field X-Carepost-Opened and a line in the text say "
        "what was found."
    )
    values = (*(Value(f"MX of {d}", f"10 {here.host}.") for d in one.settings.domains or here.domains),)
    tone, word = ("good", "Mail comes in") if last is not None else ("wait", "Nothing came in yet")
    return Step("Mail from the world", text, values, tone, word, "", last)
