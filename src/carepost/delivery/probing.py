"""Tries the way into a tenant's own mail system, as an administrator asked: reach it, measure it, sign in, ask for one
mailbox, and where it is wished hand a signed test message over that comes back here. Bounded in time; never DATA for
anybody but our own check address; what the other server says in words stays here."""

import asyncio
import datetime
import ipaddress
from typing import Final, Protocol

from carepost.delivery import ahead, sessions
from carepost.delivery.carried import Parcel
from carepost.delivery.connection import Connection
from carepost.delivery.courier import Courier
from carepost.delivery.exchange import Ended
from carepost.delivery.floor import Assessed, met
from carepost.delivery.fronts import ON, Fronts
from carepost.delivery.hops import Finder, Hops
from carepost.delivery.methods import tls
from carepost.delivery.methods.tls import Preparer, Unready
from carepost.delivery.outcome import classify
from carepost.delivery.transaction import transact
from carepost.directory.gateways import Gateway
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock, ids, metrics
from carepost.ground.errors import NotFound, Unavailable
from carepost.intake.returning import Returning
from carepost.policy.types import Assurance
from carepost.queue.types import Stage
from carepost.rfc import date
from carepost.rfc.envelope import Recipient
from carepost.wire.doors import Probe
from carepost.wire.probes import (
    BAD,
    ENGINE,
    GOOD,
    HOST,
    RECIPIENT,
    SENT,
    SIGN_IN,
    SKIPPED,
    TLS,
    TOKEN,
    Probed,
)

#: seconds for all of it: the caller waits
SECONDS: Final = 25.0
_LEAST: Final = int(Assurance.VERIFIED)


class Organisations(Protocol):
    """`directory.Directory`."""

    def snapshot(self, org: bytes) -> OrgSnapshot: ...


class Prober:
    """One an engine; one probe of an organisation at a time."""

    def __init__(
        self, directory: Organisations, fronts: Fronts, finder: Finder, courier: Courier, preparer: Preparer,
        returning: Returning, *, seconds: float = SECONDS,
    ) -> None:  # fmt: skip
        self._directory = directory
        self._fronts = fronts
        self._finder = finder
        self._courier = courier
        self._preparer = preparer
        self._returning = returning
        self._seconds = seconds
        self._busy: set[bytes] = set()

    async def probe(self, call: Probe) -> tuple[Probed, ...]:
        """Raises NotFound, Unavailable while another is under way."""
        snapshot = self._directory.snapshot(call.org)
        gateway = next((one for one in snapshot.gateways if one.id == call.gateway), None)
        if gateway is None:
            raise NotFound("There is no such connection.")
        if not gateway.settings.host:
            return ()
        if call.org in self._busy:
            raise Unavailable("probe-busy", "A check of this organisation is under way; wait for it.")
        self._busy.add(call.org)
        metrics.count("gateway_probes")
        found: dict[str, Probed] = {}
        try:
            async with asyncio.timeout(self._seconds):
                await self._steps(found, snapshot, gateway, call)
        except TimeoutError:
            step = next((one for one in ENGINE if one not in found), SENT)
            found[step] = Probed(step, BAD, cause="timeout")
        finally:
            self._busy.discard(call.org)
        wanted = [one for one in ENGINE if one in found or one in (HOST, TLS) or (one == RECIPIENT and call.mailbox)]
        return tuple(found.get(one, Probed(one, SKIPPED)) for one in wanted)

    async def _steps(self, found: dict[str, Probed], snapshot: OrgSnapshot, gateway: Gateway, call: Probe) -> None:
        hops = await self._fronts.into(gateway, ON)
        where = f"{gateway.settings.host}:{gateway.settings.port}"
        if hops.fault or not self._allowed(hops):
            found[HOST] = Probed(HOST, BAD, where, hops.fault or "local-address")
            return
        got = await self._courier.fresh(hops)
        if isinstance(got, Ended):
            at = TLS if got.stage is Stage.STARTTLS else HOST
            if at == TLS:
                found[HOST] = Probed(HOST, GOOD, where)
            cause = got.error if at == TLS else classify(got.stage, got.reply, got.error).reason
            found[at] = Probed(at, BAD, where, cause)
            return
        connection, assessed = got
        try:
            found[HOST] = Probed(HOST, GOOD, f"{where}, at {connection.address}")
            found[TLS] = _tls(connection, assessed)
            if found[TLS].state == GOOD:
                await self._inside(found, connection, hops, snapshot, gateway, call)
        finally:
            await connection.quit()

    async def _inside(
        self, found: dict[str, Probed], connection: Connection, hops: Hops, snapshot: OrgSnapshot, gateway: Gateway,
        call: Probe,
    ) -> None:  # fmt: skip
        if not await _signed_in(found, connection, hops) or not call.mailbox:
            return
        found[RECIPIENT] = await _recipient(connection, call.mailbox)
        if call.send and found[RECIPIENT].state == GOOD:
            found[SENT] = await self._send(connection, snapshot, gateway, call.mailbox)

    async def _send(self, connection: Connection, snapshot: OrgSnapshot, gateway: Gateway, mailbox: str) -> Probed:
        to = self._returning.address(gateway.id)
        id_ = ids.new()
        try:
            prepared = self._preparer.prepare(id_, _letter(mailbox, to, id_), snapshot, header_from=mailbox, alone=True)
            sealed = tls.seal(prepared, floor=_LEAST, sender=mailbox, recipient=to, utf8=False)
        except Unready as error:
            return Probed(SENT, BAD, cause=str(error))
        ended = await transact(connection, Parcel(sealed, Recipient(to, ("NEVER",)), _nothing))
        end = classify(ended.stage, ended.reply, ended.error, dot=ended.dot)
        if end.reason == "accepted":
            signed = "signed (DKIM)" if prepared.data.startswith(b"DKIM-Signature:") else "not signed: no DKIM key"
            return Probed(SENT, GOOD, f"handed over, {signed}; it should come back by your rule")
        return Probed(SENT, BAD, cause=end.reason)

    def _allowed(self, hops: Hops) -> bool:
        """An administrator names the host, and it may stand in a network of their own; never on this machine, nor where
        only machines speak (BI-029)."""
        if self._finder.dialled(hops.domain):
            return True
        return all(not _local(address) for hop in hops.hops for address in hop.addresses)


def _local(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return True
    mapped = getattr(ip, "ipv4_mapped", None) or ip
    return bool(
        mapped.is_loopback or mapped.is_link_local or mapped.is_multicast or mapped.is_unspecified or mapped.is_reserved
    )


def _tls(connection: Connection, assessed: Assessed) -> Probed:
    shake = connection.handshake
    if shake is None:
        return Probed(TLS, BAD, cause=assessed.fault or "no-tls")
    said = [shake.version]
    leaf = sessions.certificate(shake.chain.der[0]) if shake.chain.der else None
    if leaf is not None:
        ends = datetime.datetime.fromtimestamp(leaf.not_after // 1_000_000, datetime.UTC)
        said.append(f"certificate for {', '.join(leaf.names[:3]) or 'no name'}")
        said.append(f"by {leaf.issuer or 'nobody named'}, until {ends:%Y-%m-%d}")
    enough = met(assessed, _LEAST)
    return Probed(TLS, GOOD if enough else BAD, ", ".join(said), "" if enough else assessed.fault or "below-floor")


async def _signed_in(found: dict[str, Probed], connection: Connection, hops: Hops) -> bool:
    entry = hops.entry
    if entry is None or not entry.signs_in:
        return True
    token = await entry.token()
    if token is not None:
        found[TOKEN] = Probed(TOKEN, GOOD if token else BAD, cause="" if token else "sign-in-no-token")
        if not token:
            return False
    refused = await entry.sign_in(connection)
    offered = " ".join(sorted(connection.capabilities.auth))
    found[SIGN_IN] = (
        Probed(SIGN_IN, BAD, f"it offers {offered or 'nothing'}", refused.error)
        if refused
        else Probed(SIGN_IN, GOOD, f"it offers {offered}")
    )
    return refused is None


async def _recipient(connection: Connection, mailbox: str) -> Probed:
    reply = await ahead.questions(connection, mailbox)
    if reply is None:
        return Probed(RECIPIENT, BAD, cause="protocol")
    if ahead.judged(reply):
        return Probed(RECIPIENT, GOOD, "it is taken there")
    return Probed(RECIPIENT, BAD, f"code {reply.code}", classify(Stage.RCPT, reply).reason)


def _letter(mailbox: str, to: str, id_: bytes) -> bytes:
    """Constants, and nothing of anybody but the administrator's own address."""
    now = clock.now()
    return (
        f"From: <{mailbox}>\r\nTo: <{to}>\r\nSubject: Carepost connection check\r\n"
        f"Date: {date.text(now)}\r\nMessage-ID: <{ids.text(id_)}@{mailbox.rpartition('@')[2]}>\r\n"
        "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
        "An administrator asked whether mail from your system reaches Carepost. Nobody reads this message.\r\n"
    ).encode("ascii")


def _nothing() -> None:
    """Nobody waits for the dot."""
