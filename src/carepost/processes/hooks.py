"""How webhooks leave: built when the first endpoint has something to be told."""

from carepost.delivery import hooks, https, resolver
from carepost.delivery.resolver import Resolver
from carepost.ground.config import Config
from carepost.ground.home import Home
from carepost.ground.outward import Allowed
from carepost.sandbox.world import read_dial, read_world


def calls(home: Home, config: Config) -> hooks.Calls:
    """Raises ConfigError naming the setting that is wrong. Loopback and the dial table count in a sandbox home only."""
    world = read_world(home.world) if home.sandbox else None
    dial = read_dial(home.world) if home.sandbox else {}

    def asked() -> Resolver:
        return Resolver(resolver.servers(config.resolvers, config.resolvers_validate))

    tls = https.context(config.outbound_ca or (world.ca_file if world else ""))
    return hooks.Calls(asked, tls, Allowed(config.webhook_hosts, sandbox=home.sandbox), dial=dial)
