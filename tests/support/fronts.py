"""A clinic behind Carepost that keeps its own mail system: Delivering, with a gateway's listener before it, its
connections, and what a provider's server shows when it hands mail over."""

import hashlib
import secrets
import ssl
import tempfile
from typing import Any

import aiosmtplib
import msgspec

from carepost.delivery import https
from carepost.delivery.ahead import Callahead
from carepost.delivery.fronts import Fronts
from carepost.delivery.tokens import Tokens
from carepost.directory import Loaded, columns
from carepost.directory.gateways import PLACE, Gateway, Login, Settings, encode_login
from carepost.directory.types import Credential, OrgSnapshot, SenderDomain
from carepost.ground.orgkeys import OrgKeys
from carepost.intake.orgkeys import DirectoryKeys
from carepost.policy.types import Assurance
from carepost.processes import certificates
from carepost.reception.access import AccessProofs
from carepost.reception.credentials import Credentials
from carepost.reception.gateways import Gateways
from carepost.reception.peertls import PeerCertificates
from carepost.reception.smtp.gateway import GatewayServer
from carepost.reception.smtp.limits import Limits
from carepost.reception.smtp.server import SmtpServer
from carepost.reception.smtp.types import Role
from carepost.reception.sockets import bind
from carepost.reception.tls import Certificates
from carepost.spool.budget import Budget
from tests.support.certificates import Ca, Pair
from tests.support.delivering import DOMAIN, WILLOW, Delivering

#: the other tenant of the same provider
BIRCH = b"birch-clinic-000"
OTHER_DOMAIN = "birch.test"
#: what the provider's servers show, whichever tenant's mail they bring
PROVIDER = "mail.protection.provider.test"
HOST = "mail.willow.test"


def value(gateway: str) -> tuple[str, bytes]:
    """A secret of a connection, as the field says it and as it is kept."""
    made = f"{gateway}.{secrets.token_urlsafe(32)}"
    return made, hashlib.sha256(made.encode()).digest()


class Fronted(Delivering):
    """`secret`, `other_secret`: of the connections of Willow and of Birch. `provider`: the shared certificate."""

    def __init__(self, *args: Any, settings: Settings | None = None, login: Login | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.provider = self.ca.leaf(PROVIDER)
        self.secret, self.digest = value("willow-front")
        self.other_secret, other = value("birch-front")
        self.settings = settings or Settings(shared_names=(f"*.{PROVIDER.partition('.')[2]}",))
        org_keys = OrgKeys(self.keys)
        shared = msgspec.structs.replace(self.settings, keys=(), credential="", host="", inbound=False)
        birch = OrgSnapshot(
            id=BIRCH, name="Birch Clinic", epoch=1, policy_version="v1", notice_name="Birch", phone="555-0101",
            auditor="", portal_url="https://portal.test", portal_address=f"portal@{OTHER_DOMAIN}",
            floor=Assurance.VERIFIED, patience=3600, rules=(), routes=(), domains=(SenderDomain(OTHER_DOMAIN),),
            keys={p: (1, org_keys.new(BIRCH, p)) for p in ("content", "evidence", "index", "portal")},
            gateways=(Gateway("birch-front", BIRCH, "microsoft365", shared, (other,)),),
        )  # fmt: skip
        self.source.put(Loaded(birch))
        self._gateway = Gateway("willow-front", WILLOW, "microsoft365", self.settings, (self.digest,))
        if login is not None:
            version, wrapped = self.snapshot.keys["evidence"]
            evidence = org_keys.open(WILLOW, "evidence", version, wrapped)
            sealed = columns.seal(evidence, version, WILLOW, encode_login(login), f"{PLACE}/willow-front")
            self._gateway = msgspec.structs.replace(self._gateway, sealed=sealed)
        self.snapshot = msgspec.structs.replace(self.snapshot, gateways=(self._gateway,))
        self.credentials_of: tuple[Credential, ...] = ()
        self.source.put(Loaded(self.snapshot))

    async def __aenter__(self) -> "Fronted":
        await super().__aenter__()
        book = DirectoryKeys(self.directory, self.keys)
        dial = {name: host.address for name, host in self.hosts.items()} | self._dial
        tokens = Tokens(self.resolver, https.context(str(self._ca_path())), dial=dial)
        fronts = Fronts(self.finder, book, self.keys, tokens)
        self.world = msgspec.structs.replace(self.world, fronts=fronts)
        self.worker._world = self.world
        self.tls = self.folder / "tls"
        self.tls.mkdir()
        certificates.ensure(self.tls, HOST)
        self.gateways = Gateways(self.directory, self.courier._anchors.judge, self.keys)
        self.credentials = Credentials(self.directory)
        self.access = AccessProofs()
        found, budget, limits = Certificates(self.tls, HOST), Budget(64_000_000), Limits(linger=0.5)
        self.server = GatewayServer(
            self.intake, self.credentials, self.access, found, budget, limits, self.gateways,
            PeerCertificates(self.tls, HOST), hostname=HOST,
        )  # fmt: skip
        self.submission = SmtpServer(
            Role.SUBMISSION, self.intake, self.credentials, self.access, found, budget, limits, hostname=HOST,
            gateways=self.gateways,
        )  # fmt: skip
        self.ahead = Callahead(self.directory, fronts, self.courier, seconds=2.0)
        self.mx = SmtpServer(
            Role.MX, self.intake, self.credentials, self.access, found, budget, limits, hostname=HOST,
            recipients=self.ahead,
        )  # fmt: skip
        self.ports: dict[str, int] = {}
        for name, server in (("gateway", self.server), ("submission", self.submission), ("mx", self.mx)):
            sock = bind("127.0.0.1", 0, "port")
            self.ports[name] = sock.getsockname()[1]
            await server.start(sock)
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in (self.server, self.submission, self.mx):
            server.close()
        await self.intake.close()
        await self.ahead.close()
        self.credentials.close()
        self.access.close()
        await super().__aexit__()

    def _ca_path(self) -> Any:
        path = self.folder / "web.pem"
        path.write_text(self.ca.pem)
        return path

    def change(self, **fields: Any) -> None:
        """A new epoch; `settings`, `secrets`: of Willow's connection; `credentials`: of Willow."""
        if "settings" in fields or "secrets" in fields:
            names = {name: fields.pop(name) for name in ("settings", "secrets") if name in fields}
            self._gateway = msgspec.structs.replace(self._gateway, **names)
            fields["gateways"] = (self._gateway,)
        self.credentials_of = fields.pop("credentials", self.credentials_of)
        self.snapshot = msgspec.structs.replace(self.snapshot, epoch=self.snapshot.epoch + 1, **fields)
        self.source.put(Loaded(self.snapshot, self.credentials_of))
        self.directory.poll()

    def client(self, shown: Pair | None) -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=str(self.tls / "ca.pem"))
        if shown is not None:
            with tempfile.NamedTemporaryFile("wb", suffix=".pem", dir=self.folder) as file:
                file.write(key_pem(shown) + shown.pem + b"".join(one.pem for one in shown.chain))
                file.flush()
                made.load_cert_chain(file.name)
        return made

    async def hand_over(
        self, message: bytes, *, sender: str = f"nurse@{DOMAIN}", to: str = "jane.roe@there.test",
        shown: "Pair | str | None" = "provider", name: str = "gateway",
        login: tuple[str, str] | None = None,
    ) -> str:  # fmt: skip
        """As a provider's server does. The reply to the dot. Raises aiosmtplib's errors for a refusal."""
        pair = self.provider if shown == "provider" else shown
        assert not isinstance(pair, str)
        client = aiosmtplib.SMTP(
            hostname="127.0.0.1", port=self.ports[name], use_tls=False, start_tls=False, timeout=20,
            local_hostname="outbound.provider.test",
        )  # fmt: skip
        await client.connect()
        try:
            if name != "mx":
                await client.starttls(server_hostname=HOST, tls_context=self.client(pair), timeout=20)
            if login is not None:
                await client.login(*login)
            _, said = await client.sendmail(sender, [to], message)
            return said
        finally:
            client.close()


def key_pem(pair: Pair) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return pair.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


__all__ = ["BIRCH", "HOST", "OTHER_DOMAIN", "PROVIDER", "Ca", "Fronted", "value"]
