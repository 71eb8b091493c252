"""What each step of a check is called, and what to do where it does not work. Constants: nothing a server said."""

from typing import Final

from carepost.wire import probes

TITLES: Final = {
    probes.MX: "Where mail to your domains goes (MX)",
    probes.SPF: "Who may send for your domains (SPF)",
    probes.DKIM: "Our signature is published (DKIM)",
    probes.HOST: "Your mail host answers",
    probes.TLS: "It encrypts, and its certificate is good",
    probes.TOKEN: "An access token (OAuth)",
    probes.SIGN_IN: "It takes our sign-in",
    probes.RECIPIENT: "It takes mail for the mailbox you named",
    probes.SENT: "It takes a test message",
    probes.RETURNED: "The test message comes back with the secret header",
}
WORDS: Final = {probes.GOOD: "Works", probes.BAD: "Does not work", probes.SKIPPED: "Not tried", probes.WAITS: "Waiting"}

#: cause -> the mend
MENDS: Final = {
    "dns-failure": "The name servers did not answer. Try again; if it stays so, look at the zone's name servers.",
    "dns-timeout": "The name servers did not answer in time. Try again.",
    "dns-bogus": "The zone's signatures (DNSSEC) do not verify: mend the zone before anything else.",
    "mx-missing": "Publish an MX record for the domain: nobody can write to it.",
    "mx-not-here": "Mail from the world should come in here: publish the MX record shown below.",
    "mx-also": "Some of the MX records lead past Carepost: remove those, or mail to them is neither opened nor judged.",
    "spf-missing": "Publish one SPF record (v=spf1 …) that names who sends for the domain.",
    "spf-two": "There must be one SPF record; receivers count two as broken. Join them.",
    "spf-without-provider": "Protected mail goes out by your provider: its include belongs into the SPF record.",
    "spf-without-us": "Mail goes out from here: add this system's addresses to the SPF record.",
    "host-without-address": "This system's own name has no address in DNS: publish A or AAAA records for it.",
    "dkim-none": "The domain has no DKIM key here: make one on its page under Domains.",
    "dkim-missing": "Publish the DKIM record shown on the domain's page under Domains.",
    "dkim-other": "Another key is published than the one we sign with: publish the record of the domain's page.",
    "no-address": "The host's name has no address in DNS. Correct the name, or publish its address.",
    "local-address": "The name leads to this machine or to a link-local address: name your mail host as DNS knows it.",
    "refused": "Nothing answers at that host and port: look at name, port and firewall.",
    "timeout": "It did not answer in time: a firewall may drop our connections; allow this system's address.",
    "lost": "The connection ended without an answer: the host may refuse our address; allow it there.",
    "malformed": "What answers there is no mail server: look at host and port.",
    "server-unwilling": "It answers and takes nothing from us: allow this system's address in its connector.",
    "asked-to-wait": "It asked us to come later (grey-listing or a limit): allow this system's address.",
    "no-tls": "It offers no encryption (STARTTLS): turn TLS on at that host, or name the host that has it.",
    "starttls-refused": "It offered encryption and refused it: look at the host's TLS settings.",
    "starttls-injected": "Somebody put text into the start of the encrypted connection: look for what stands between.",
    "tls-failed": "No encryption that is safe today was agreed: allow TLS 1.2 or newer there.",
    "tls-timeout": "Encryption was not set up in time: look for what filters the connection.",
    "tls-lost": "The connection ended while encryption was set up: look at the host's TLS settings.",
    "absent": "It showed no certificate: install one for this name.",
    "unreadable": "Its certificate cannot be read: install another.",
    "expired": "Its certificate has expired: renew it.",
    "not-yet-valid": "Its certificate is not valid yet: look at the clock of both systems.",
    "self-signed": "Nobody vouches for its certificate: install one of a public authority, or enter its CA below.",
    "unknown-issuer": "Its certificate comes from an unknown authority: enter that authority's PEM below.",
    "wrong-use": "Its certificate is not made for servers: install another.",
    "no-name": "Its certificate names no server: install one with this name (subjectAltName).",
    "revoked": "Its certificate was revoked: install another at once.",
    "wrong-name": "Its certificate is for another name: enter that name as your mail host, or install another.",
    "pin-mismatch": "It does not hold the key that was pinned for it: compare, and pin the new one.",
    "sign-in-refused": "It did not take our sign-in: look at account, secret, and whether SMTP sign-in is allowed.",
    "sign-in-no-token": "The token address gave no token: look at client id, secret, its end, and the scope.",
    "sign-in-not-offered": "It offers no way of signing in that is set here: allow one there, or change the sign-in.",
    "sign-in-later": "It could not check our sign-in just now: try again.",
    "no-such-mailbox": "It knows no such mailbox: name one that exists, or look at the accepted domains.",
    "mailbox-closed": "That mailbox takes no mail: name another.",
    "sender-refused": "It takes no mail from that sender by this way: look at the connector's conditions.",
    "refused-by-rule": "A rule there refuses it: allow this system's certificate or address in the inbound connector.",
    "content-refused": "It refused the message after having seen it: look at its filter for what comes from here.",
    "protocol": "It did not accept a step of the exchange: look at its log for our address.",
    "not-returned": "The message was taken and did not come back: look at the outbound connector, the rule that sends "
    "mail here, and the secret header.",
    "gateway-secret": "It came back without a valid secret: look at the rule's header value.",
}
OTHER: Final = "It did not work; the log of your mail host says more."


def mend(cause: str) -> str:
    return MENDS.get(cause, OTHER) if cause else ""
