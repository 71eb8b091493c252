"""What the machine gives: keyring and home in their places, disk, clock, ports, certificates, DNS."""

import shutil
import socket
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
from cryptography import x509

from carepost.cli.checks.finding import Finding, attention, failed, ok
from carepost.cli.local import Local
from carepost.delivery import resolver
from carepost.ground import clock, timesync
from carepost.ground.errors import ConfigError
from carepost.ground.private import shared
from carepost.wire import doors

#: days before its end at which a certificate is complained of
CERTIFICATE_DAYS = 14
_DAY_US = 86_400_000_000
_LISTENERS = ("port_api", "port_console", "port_portal", "port_submission", "port_submission_tls", "port_mx")


def keyring(here: Local) -> Iterator[Finding]:
    path = here.home.keyring().resolve()
    inside = path.is_relative_to(here.home.path.resolve())
    if inside and not here.home.sandbox:
        yield failed(
            f"the keyring {path} lies inside the home: a backup or a thief of the disk has both",
            "stop Carepost, move it out (e.g. to /etc/carepost/keyring.json, mode 600) and set CAREPOST_KEYRING to it",
        )
    elif inside:
        yield attention("the keyring lies inside the home: fit for a sandbox only", "never put real mail in here")
    else:
        yield ok(f"the keyring lies apart from the home: {path}")
    yield ok(f"the master key is kept by {here.keeper}")
    if not here.own_keyring:
        yield failed("the keyring is not the one made with this home", "set CAREPOST_KEYRING to that, or put it back")
    if shared(path):
        yield failed("others can read the keyring", f"chmod 600 {path}")


def private(here: Local) -> Iterator[Finding]:
    mode = stat.S_IMODE(here.home.path.stat().st_mode)
    if mode & 0o077:
        yield failed(f"others can enter the home (mode {mode:o})", f"chmod 700 {here.home.path}")
    else:
        yield ok("the home is private")


def certificates(here: Local) -> Iterator[Finding]:
    folder = Path(here.config.tls_folder) if here.config.tls_folder else here.home.tls
    found = [pem for pem in sorted(folder.glob("*.pem")) if pem.with_suffix(".key").exists()]
    if not found:
        mend = f"put <host name>.pem and .key into {folder}"
        yield (
            failed(f"there is no certificate in {folder}", mend)
            if here.config.tls_folder
            else attention(f"there is no certificate in {folder} yet", f"{mend}, or start once: the home makes its own")
        )
    for pem in found:
        yield _pair(pem) or _certificate(here, pem)
    name = here.config.hostname
    if found and name != "localhost" and not any(_is_for(name.lower(), pem) for pem in found):
        yield failed(
            f"none of the certificates in {folder} is for {name}, which is this system's name: clients refuse it",
            f"get one and put {name}.pem and .key there; where the home made its own for a former name, remove those"
            " files and ca.pem, and restart: it makes new ones",
        )


def _is_for(hostname: str, pem: Path) -> bool:
    """Also where it cannot be read: that is told of the file itself."""
    try:
        names = _names(x509.load_pem_x509_certificate(pem.read_bytes()))
    except (OSError, ValueError):
        return True
    return hostname in names or f"*.{hostname.partition('.')[2]}" in names


def _pair(pem: Path) -> Finding | None:
    """A certificate is served with its own key, under the name of its file (SNI)."""
    key = pem.with_suffix(".key")
    try:
        leaf = x509.load_pem_x509_certificate(pem.read_bytes())
        # the key has no password: Carepost could not ask for it
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(pem, key, password=lambda: b"")
    except ssl.SSLError:
        return failed(
            f"{pem.name} and {key.name} do not belong together, or the key has a password",
            f"put the certificate and its own key, without a password, into {pem.parent}",
        )
    except PermissionError as error:
        return failed(
            f"{Path(error.filename or key).name} cannot be read by this user", f"chown it, or chmod 600 {key}"
        )
    except (OSError, ValueError):
        return None
    names = _names(leaf)
    wild = f"*.{pem.stem.partition('.')[2]}"
    if pem.stem.lower() in names or wild in names:
        return None
    return failed(
        f"{pem.name} is a certificate for other names ({', '.join(sorted(names)) or 'none'}): clients refuse it",
        f"get one for {pem.stem}, or call the two files by the name it is for (CAREPOST_HOSTNAME)",
    )


def _names(leaf: x509.Certificate) -> set[str]:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    addresses = map(str, found.get_values_for_type(x509.IPAddress))
    return {name.lower() for name in (*found.get_values_for_type(x509.DNSName), *addresses)}


def _certificate(here: Local, pem: Path) -> Finding:
    try:
        leaf = x509.load_pem_x509_certificate(pem.read_bytes())
    except ValueError:
        return failed(f"{pem.name} is no certificate", "replace it; the listeners keep the last good one until then")
    days = int((leaf.not_valid_after_utc.timestamp() * 1e6 - clock.now()) // _DAY_US)
    own = "Carepost's own CA" in leaf.issuer.rfc4514_string()
    mend = f"put a new {pem.name} and {pem.stem}.key into {pem.parent}: they are read without a restart"
    if own:
        mend += f"; or remove {pem.name}, {pem.stem}.key and ca.pem, and restart: the home makes new ones"
    if days < 0:
        return failed(f"certificate {pem.name} ended {-days} days ago: clients refuse it", mend)
    if days < CERTIFICATE_DAYS:
        return attention(f"certificate {pem.name}: {days} days left", mend)
    if own and not here.home.sandbox:
        return attention(
            f"{pem.name} is signed by this home's own CA",
            f"bring one that clients trust already ({pem.name} and {pem.stem}.key into {pem.parent})",
        )
    return ok(f"certificate {pem.name}: {days} days left")


def disk(here: Local) -> Iterator[Finding]:
    free = shutil.disk_usage(here.home.path).free
    words = f"{free // 1_048_576:,} MiB free on the home's disk"
    if free < here.config.min_free:
        yield failed(f"{words}: the doors answer 451/503", "free space, or lower CAREPOST_MIN_FREE")
    elif free < 5 * here.config.min_free:
        yield attention(words, f"plan for more: below {here.config.min_free // 1_048_576:,} MiB nothing is accepted")
    else:
        yield ok(words)


def time(here: Local) -> Iterator[Finding]:
    off = doors.clock_off(here.client.health())
    if off is not None and abs(off) >= doors.CLOCKS_DIFFER:
        yield failed(
            f"this node's clock is {abs(off)} s {'ahead of' if off > 0 else 'behind'} PostgreSQL's: what it writes"
            " bears wrong times, and mail it puts off is tried too late or too early",
            "set both clocks by one source of time (chrony, systemd-timesyncd)",
        )
    word, error = timesync.state()
    if word == timesync.SYNCHRONISED:
        yield ok(f"the clock is synchronised (error at most {error / 1000:.0f} ms)")
    else:
        yield attention(
            f"the clock is {word}: proofs say so", "run chrony or systemd-timesyncd, and keep it from being blocked"
        )


def ports(here: Local) -> Iterator[Finding]:
    """While Carepost runs each of its ports answers; while it does not, each is free."""
    runs, wrong = here.runs(), 0
    listeners = (*_LISTENERS, *(("port_gateway",) if here.config.port_gateway else ()))
    for name in listeners:
        port: int = getattr(here.config, name)
        setting = f"CAREPOST_{name.upper()}"
        taken = _answers(here.config.listen, port)
        if runs and not taken:
            wrong += 1
            yield failed(f"nothing answers on port {port} ({setting})", f"see the logs in {here.home.log}")
        elif not runs and taken:
            wrong += 1
            yield failed(f"another program has port {port}", f"stop it, or set {setting}")
    if not wrong:
        yield ok(f"{len(listeners)} ports {'answer' if runs else 'are free'} on {here.config.listen}")


def _answers(listen: str, port: int) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen, listen)  # noqa: S104
    try:
        socket.create_connection((host, port), timeout=3).close()
    except OSError:
        return False
    return True


def resolvers(here: Local) -> Iterator[Finding]:
    validate, named = here.config.resolvers_validate, here.config.resolvers
    if here.home.sandbox and not named:
        # what its processes are told when they start
        validate, named = True, (f"127.0.0.1:{here.config.port_sandbox_dns}",)
    try:
        servers = resolver.servers(named, validate)
    except ConfigError as error:
        yield failed(error.public, "set CAREPOST_RESOLVERS=127.0.0.1 with a resolver on this machine")
        return
    # a zone that is signed wherever one asks; the sandbox signs `test.` alone
    zone = "test." if here.home.sandbox else "."
    for server in servers:
        name = f"DNS server {server.address}:{server.port}"
        signed = _validates(server, zone)
        if signed is None:
            if here.home.sandbox and not _answers(server.address, here.config.port_api):
                yield ok(f"{name} belongs to the sandbox, which does not run now")
            else:
                yield failed(f"{name} does not answer", "start it, or name another in CAREPOST_RESOLVERS")
        elif validate and not server.trusted:
            yield failed(
                f"{name} is called validating and is not on this machine: its word is not believed, DANE is not used",
                "run a validating resolver (unbound) on loopback, or set CAREPOST_RESOLVERS_VALIDATE=false",
            )
        elif validate and not signed:
            yield failed(
                f"{name} is called validating and does not validate: DANE is not used",
                "turn DNSSEC validation on there (unbound: auto-trust-anchor-file), or name another",
            )
        elif validate:
            yield ok(f"{name} validates DNSSEC: DANE can be used")
        else:
            yield attention(
                f"{name} answers; DNSSEC is not used, so neither is DANE",
                "run unbound on this machine and set CAREPOST_RESOLVERS=127.0.0.1, CAREPOST_RESOLVERS_VALIDATE=true",
            )


def _validates(server: resolver.Server, zone: str) -> bool | None:
    """Whether it says that it checked a signed zone; None: it does not answer."""
    asked = dns.message.make_query(zone, "SOA", want_dnssec=True)
    asked.flags |= dns.flags.AD
    try:
        answer = dns.query.udp(asked, server.address, timeout=resolver.TIMEOUT, port=server.port)
    except (dns.exception.DNSException, OSError):
        return None
    return answer.rcode() == dns.rcode.NOERROR and bool(answer.flags & dns.flags.AD)
