"""Where mail goes that has to do with a tenant's own mail system (`directory.gateways`): back through it, or into it.

Back go copies that are encrypted to their reader, and copies that rest on TLS only where an administrator attests that
the tenant's system sends on by verified TLS, and never more than that is asked for; all others go to the recipient's
own hosts. On go the copies for the tenant's own people: their domain may lead to us in DNS. The tenant's host must
prove itself as a pinned next hop does before we sign in there."""

import os
import ssl
from collections import OrderedDict
from typing import Final

import msgspec

from carepost.crypto import dkim
from carepost.crypto.rest import Damaged
from carepost.delivery import tls
from carepost.delivery.carried import Carried
from carepost.delivery.connection import Connection
from carepost.delivery.exchange import Ended
from carepost.delivery.hops import Finder, Hops
from carepost.delivery.login import sign_in
from carepost.delivery.methods.tls import Prepared
from carepost.delivery.outcome import NO_REQUIRETLS, Lead, Outcome, classify, outcome
from carepost.delivery.tokens import TokenRefused, Tokens
from carepost.directory import columns
from carepost.directory.gateways import LOOP_FIELD, OAUTH, RETURN, Gateway, Login, loop_mark, open_login
from carepost.directory.types import OrgSnapshot, Route
from carepost.ground import log
from carepost.ground.keys import PurposeKeys
from carepost.intake.forwarding import Forwarding
from carepost.policy.types import Assurance, Method, Step
from carepost.queue.sealing import EVIDENCE, OrgKeyBook
from carepost.queue.types import Claim, MessageRecord

#: methods whose copies nobody on the way can read
_ENCRYPTED: Final = frozenset({Method.SMIME, Method.OPENPGP})
#: sign-ins kept opened
_KEPT: Final = 1024
BACK, ON = "return", "deliver"


class Entry:
    """How one host is entered: our certificate, and how we sign in."""

    def __init__(self, login: Login, tokens: Tokens) -> None:
        self._login = login
        self._tokens = tokens
        self.tls = _client(login) if login.certificate else None

    @property
    def signs_in(self) -> bool:
        return bool(self._login.kind)

    async def sign_in(self, connection: Connection) -> Ended | None:
        return await sign_in(connection, self._login, self._tokens)

    async def token(self) -> bool | None:
        """Whether a new token is to be had; None where none is asked for."""
        if self._login.kind != OAUTH:
            return None
        try:
            await self._tokens.token(self._login, fresh=True)
        except TokenRefused:
            return False
        return True


class Way(msgspec.Struct, frozen=True):
    gateway: Gateway
    #: return | deliver
    kind: str
    route: Route


def way(snapshot: OrgSnapshot, message: MessageRecord, step: Step, domain: str) -> Way | None:
    """None: the recipient's own hosts. Pure."""
    on = next((one for one in snapshot.gateways if one.settings.host and _takes(one, snapshot, domain)), None)
    if on is not None:
        return Way(on, ON, _route(on))
    came = next((one for one in snapshot.gateways if one.id == message.gateway), None)
    if came is None or came.settings.mode != RETURN or not came.settings.host:
        return None
    if message.requiretls:
        # what the tenant's system asks of the next hop is its people's word alone (RFC 8689 asks for more)
        return None
    vouched = came.settings.vouched and step.floor <= Assurance.VERIFIED
    if step.method in _ENCRYPTED or (step.method is Method.TLS and vouched):
        return Way(came, BACK, _route(came))
    return None


def _takes(gateway: Gateway, snapshot: OrgSnapshot, domain: str) -> bool:
    """Whether mail for this domain ends in that tenant's system. A pinned next hop of the domain's own comes first."""
    return (
        gateway.settings.inbound
        and snapshot.domain(domain) is not None
        and gateway.sends_as(domain)
        and snapshot.route(domain) is None
    )


def _route(gateway: Gateway) -> Route:
    settings = gateway.settings
    return Route(settings.host, settings.host, settings.port, settings.ca)


class Fronts:
    """One an engine. `purposes` with `index`; `book` opens what is sealed under organisations' evidence keys."""

    def __init__(self, finder: Finder, book: OrgKeyBook, purposes: PurposeKeys, tokens: Tokens) -> None:
        self._finder = finder
        self._book = book
        self._purposes = purposes
        #: the reverse paths of what mailboxes forward
        self.forwarding = Forwarding(purposes)
        self._tokens = tokens
        self._entries: OrderedDict[tuple[str, bytes], Entry] = OrderedDict()

    async def hops(self, snapshot: OrgSnapshot, message: MessageRecord, step: Step, domain: str) -> Hops | None:
        """None: the recipient's own hosts are to be found."""
        chosen = way(snapshot, message, step, domain)
        if chosen is None:
            return None
        return await self.into(chosen.gateway, chosen.kind)

    async def into(self, gateway: Gateway, kind: str) -> Hops:
        """The tenant's own host, and how it is entered. `kind`: return | deliver."""
        route = _route(gateway)
        found = await self._finder.find(route.host, route)
        entry = self._entry(gateway)
        if entry is None:
            return Hops(route.host, pinned=True, fault="dns-failure", gateway=gateway.id)
        head = b""
        if kind == BACK:
            head = f"{LOOP_FIELD}: {loop_mark(self._purposes, gateway.id)}\r\n".encode("ascii")
        return msgspec.structs.replace(
            found, entry=entry, head=head, gateway=gateway.id, least=int(Assurance.VERIFIED),
            vouched=kind == BACK,
            # who we are there is part of what a connection is: it carries nobody else's mail
            identity=f"{found.identity} {gateway.id} {hash(gateway.sealed)}",
        )  # fmt: skip

    def _entry(self, gateway: Gateway) -> Entry | None:
        """None: what is sealed cannot be opened now."""
        key = (gateway.id, gateway.sealed)
        found = self._entries.get(key)
        if found is None:
            login = Login()
            if gateway.sealed:
                try:
                    evidence = self._book.version(gateway.org, EVIDENCE, columns.key_version(gateway.sealed))
                    login = open_login(evidence, gateway)
                except (Damaged, msgspec.DecodeError) as error:
                    log.failure("gateway-login-unreadable", error, gateway=gateway.id)
                    return None
            found = self._entries[key] = Entry(login, self._tokens)
            while len(self._entries) > _KEPT:
                self._entries.popitem(last=False)
        return found


def reverse_path(fronts: Fronts | None, message: MessageRecord, claim: Claim) -> str:
    """What stands in MAIL FROM: the sender's own, or the signed one of what a mailbox forwards."""
    if not message.forwarder or fronts is None:
        return claim.record.sender
    return fronts.forwarding.address(claim.org, claim.delivery, message.forwarder.rpartition("@")[2])


def without_keys(snapshot: OrgSnapshot, message: MessageRecord) -> OrgSnapshot:
    """The organisation signs nothing that somebody outside wrote and a mailbox forwards."""
    return msgspec.structs.replace(snapshot, own_keys={}) if message.forwarder else snapshot


def marked(hops: Hops, prepared: Prepared) -> Prepared:
    """With the field by which the tenant's system knows that we have had the message."""
    return msgspec.structs.replace(prepared, data=hops.head + prepared.data) if hops.head else prepared


def classified(hops: Hops, carried: Carried, why: str) -> Outcome:
    """How it ended; `why`: the word of an end without an answer. A tenant's own host that falls short is mended there:
    another method would not reach the recipient better."""
    ended = carried.ended
    end = classify(ended.stage, ended.reply, why, dot=ended.dot, short=carried.short)
    if hops.gateway and carried.short and end.lead is Lead.METHOD and end.reason != NO_REQUIRETLS:
        return outcome(Lead.RETRY, end.reason)
    return end


def untouched(body: bytes) -> Prepared:
    """What came from the world and goes on into the tenant's system: not a byte more is changed, nothing is signed in
    the sender's name."""
    data = body if body.endswith(b"\r\n") else body + b"\r\n"
    return Prepared(data, dkim.body_hash_relaxed(data))


def _client(login: Login) -> ssl.SSLContext:
    """Python reads keys from files alone: this one is in memory, and gone when it was read."""
    made = tls.context()
    memory = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        os.write(memory, (login.key.strip() + "\n" + login.certificate.strip() + "\n").encode())
        made.load_cert_chain(f"/proc/self/fd/{memory}")
    finally:
        os.close(memory)
    return made
