"""`carepost doctor`: looks at an installation, says what is well, what is not, and how to mend it. Changes nothing."""

import argparse
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from cryptography import x509

from carepost.cli import local
from carepost.cli.local import Local
from carepost.ground import clock, timesync
from carepost.ground.errors import CarepostError, ConfigError, Unavailable

#: days before its end at which a certificate is complained of
CERTIFICATE_DAYS = 14
_DAY_US = 86_400_000_000


class Finding(msgspec.Struct, frozen=True):
    #: ok | attention | failed
    state: str
    what: str
    #: what to do, "" when nothing is
    mend: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    local.add_arguments(parser)
    parser.epilog = "Exit status: 0 nothing failed, 1 something did."


def run(args: argparse.Namespace) -> int:
    here = Local.of(args)
    found = list(_findings(here))
    if args.json:
        print(msgspec.json.encode(found).decode())
    else:
        for one in found:
            print(f"{one.state:<10} {one.what}" + (f"\n           -> {one.mend}" if one.mend else ""))
    return 1 if any(one.state == "failed" for one in found) else 0


def _findings(here: Local) -> Iterator[Finding]:
    checks: list[Callable[[Local], Iterator[Finding]]] = [
        _keyring, _private, _certificates, _disk, _clock, _resolvers, _office, _engines,
    ]  # fmt: skip
    for check in checks:
        yield from check(here)


def _keyring(here: Local) -> Iterator[Finding]:
    path = here.home.keyring().resolve()
    inside = path.is_relative_to(here.home.path.resolve())
    if inside and not here.home.sandbox:
        yield Finding("failed", f"the keyring {path} lies inside the home", "move it and set CAREPOST_KEYRING")
    elif inside:
        yield Finding("attention", "the keyring lies inside the home: fit for a sandbox only")
    else:
        yield Finding("ok", f"the keyring lies apart from the home: {path}", "")
    if path.stat().st_mode & 0o077:
        yield Finding("failed", "others can read the keyring", f"chmod 600 {path}")


def _private(here: Local) -> Iterator[Finding]:
    mode = stat.S_IMODE(here.home.path.stat().st_mode)
    if mode & 0o077:
        yield Finding("failed", f"others can enter the home (mode {mode:o})", f"chmod 700 {here.home.path}")
    else:
        yield Finding("ok", "the home is private")


def _certificates(here: Local) -> Iterator[Finding]:
    folder = Path(here.config.tls_folder) if here.config.tls_folder else here.home.tls
    for pem in sorted(folder.glob("*.pem")):
        if not pem.with_suffix(".key").exists():
            continue
        try:
            leaf = x509.load_pem_x509_certificate(pem.read_bytes())
        except ValueError:
            yield Finding("failed", f"{pem.name} is no certificate", "replace it; the listener keeps its last good one")
            continue
        days = int((leaf.not_valid_after_utc.timestamp() * 1e6 - clock.now()) // _DAY_US)
        own = "Carepost's own CA" in leaf.issuer.rfc4514_string()
        if days < CERTIFICATE_DAYS:
            yield Finding(
                "failed" if days < 0 else "attention", f"certificate {pem.name}: {days} days left", "renew it"
            )
        elif own and not here.home.sandbox:
            yield Finding("attention", f"{pem.name} is signed by this home's own CA", "bring one clients trust already")
        else:
            yield Finding("ok", f"certificate {pem.name}: {days} days left")


def _disk(here: Local) -> Iterator[Finding]:
    free = shutil.disk_usage(here.home.path).free
    words = f"{free // 1_048_576:,} MiB free on the home's disk"
    if free < here.config.min_free:
        yield Finding("failed", f"{words}: the doors answer 451/503", "free space, or lower CAREPOST_MIN_FREE")
    elif free < 5 * here.config.min_free:
        yield Finding("attention", words, "plan for more")
    else:
        yield Finding("ok", words)


def _clock(_: Local) -> Iterator[Finding]:
    word, error = timesync.state()
    if word == "synchronised":
        yield Finding("ok", f"the clock is synchronised (error at most {error / 1000:.0f} ms)")
    else:
        yield Finding("attention", f"the clock is {word}: proofs say so", "run chrony or systemd-timesyncd")


def _resolvers(here: Local) -> Iterator[Finding]:
    if here.config.resolvers_validate or here.home.sandbox:
        yield Finding("ok", "DNSSEC is validated: DANE can be used")
    else:
        yield Finding(
            "attention",
            "no validating resolver is set: DANE is not used",
            "run unbound on this machine and set CAREPOST_RESOLVERS=127.0.0.1, CAREPOST_RESOLVERS_VALIDATE=true",
        )


def _office(here: Local) -> Iterator[Finding]:
    try:
        org = here.organisation(None)
    except ConfigError as error:
        if "Say which" in error.public:
            yield Finding("ok", "the office database can be read; it holds several organisations")
        else:
            yield Finding("attention", error.public, "carepost org add … (see carepost up)")
        return
    except CarepostError as error:
        yield Finding(
            "failed", f"the office database cannot be read ({error.code})", "restore it, or check the keyring"
        )
        return
    yield Finding("ok", f"organisation {org.slug}: {len(org.domains)} sender domains, policy {org.policy_version}")
    for domain in org.domains:
        if not domain.dkim:
            yield Finding("failed", f"{domain.domain} has no DKIM key", "carepost domain rotate …")
    if not any(rule.portal_by_mail for rule in org.rules):
        words = "the portal opens only with an agreed code or question (rule portal-by-mail is off)"
        yield Finding("attention", words, "carepost rule portal-by-mail on, if mailed codes are good enough for you")


def _engines(here: Local) -> Iterator[Finding]:
    try:
        answers = here.client.health()
    except Unavailable:
        yield Finding("attention", "no engine runs", "carepost up")
        return
    shards = {number: figures for answer in answers for number, figures in answer.shards.items()}
    if len(shards) < here.home.shards:
        yield Finding(
            "failed", f"{len(shards)} of {here.home.shards} shards have an owner", "see the logs of the engines"
        )
    else:
        yield Finding("ok", f"every shard has an owner ({len(shards)})")
    for number, figures in sorted(shards.items()):
        lag = figures.get("oldest_s", 0)
        words = f"shard {number}: {figures.get('outbox', 0)} events wait for the journal, the oldest {lag} s"
        if lag > 600:
            yield Finding("failed", words, "the journal stands still; see its log")
        else:
            yield Finding("attention" if lag > 60 else "ok", words)
        if figures.get("held"):
            yield Finding(
                "attention",
                f"shard {number}: {figures['held']} deliveries are held",
                "carepost queue list --state held",
            )
