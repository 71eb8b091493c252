"""What an engine needs to stand in front of other mail systems, where a port for them is set."""

from carepost.delivery.ahead import Callahead
from carepost.delivery.courier import Courier
from carepost.delivery.fronts import Fronts
from carepost.delivery.hops import Finder
from carepost.delivery.probing import Prober
from carepost.delivery.tokens import Tokens
from carepost.delivery.trust import Anchors
from carepost.directory import Directory
from carepost.ground.config import Config
from carepost.ground.home import Home
from carepost.ground.keys import PurposeKeys
from carepost.intake.returning import Returning
from carepost.processes import outgoing
from carepost.processes.outgoing import Outgoing
from carepost.processes.sealing import Sealing
from carepost.queue.sealing import OrgKeyBook
from carepost.reception.access import AccessProofs
from carepost.reception.credentials import Credentials
from carepost.reception.gateways import Gateways
from carepost.reception.peertls import PeerCertificates
from carepost.reception.smtp.gateway import GatewayServer
from carepost.reception.smtp.limits import Limits
from carepost.reception.smtp.server import Intake, SmtpServer
from carepost.reception.tls import Certificates
from carepost.spool.budget import Budget

Listener = tuple[SmtpServer, int, str]


def gateways(directory: Directory, anchors: Anchors, keys: PurposeKeys) -> Gateways:
    return Gateways(directory, anchors.judge, keys)


def fronts(finder: Finder, book: OrgKeyBook, keys: PurposeKeys, way: Outgoing) -> Fronts:
    return Fronts(finder, book, keys, Tokens(way.resolver, way.web, dial=way.dial))


def asking(
    directory: Directory, fronts: Fronts, courier: Courier, sealing: Sealing, way: Outgoing, keys: PurposeKeys,
    config: Config,
) -> tuple[Callahead, Prober]:  # fmt: skip
    """What asks a tenant's own host: for recipients, and when an administrator checks the connection."""
    returning = Returning(keys, config.hostname)
    prober = Prober(directory, fronts, way.finder, courier, sealing.preparer, returning)
    return Callahead(directory, fronts, courier), prober


def listeners(
    home: Home, config: Config, known: Gateways, intake: Intake, credentials: Credentials, access: AccessProofs,
    certificates: Certificates, budget: Budget, limits: Limits,
) -> list[Listener]:  # fmt: skip
    """One, or none. Raises ConfigError where there is no certificate."""
    if not config.port_gateway:
        return []
    shown = PeerCertificates(outgoing.tls_folder(home, config), config.hostname)
    server = GatewayServer(
        intake, credentials, access, certificates, budget, limits, known, shown, hostname=config.hostname
    )
    return [(server, config.port_gateway, "port_gateway")]
