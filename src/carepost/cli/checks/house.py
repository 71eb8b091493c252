"""What runs in the home: office, engines, journal, queues; keys still to be wrapped anew; the last backup."""

import importlib
from collections.abc import Iterator

import msgspec

from carepost.archive import health
from carepost.cli.checks.finding import Finding, attention, failed, ok
from carepost.cli.local import Local
from carepost.cold import health as cold
from carepost.ground import clock, database, postgres
from carepost.ground.errors import CarepostError, ConfigError
from carepost.ground.keys import MasterKeyring, version_of
from carepost.ground.storefaults import StoreFault
from carepost.policy.questions import lowers
from carepost.processes import begun
from carepost.processes.backup.make import MARK, Last
from carepost.wire.doors import owned

_DAY_US = 86_400_000_000
#: seconds a delivery may be due, and the log may be behind
SLOW, STUCK = 60, 600


def databases(here: Local) -> Iterator[Finding]:
    """Those that once stood in the home stand there."""
    name = begun.lost(here.home, here.config)
    if name:
        words = "put it back, or restore the last backup into another folder: carepost restore FILE --home FOLDER"
        yield failed(f"{name} is missing from the home", words)


def office(here: Local) -> Iterator[Finding]:
    if begun.lost(here.home, here.config) == here.home.office_db.name:
        # the check of the databases says it
        return
    try:
        org = here.organisation(None)
    except ConfigError as error:
        if "Say which" in error.public:
            yield ok("the office database can be read; it holds several organisations")
        elif "yet" in error.public:
            yield attention(error.public, "carepost org add … (see carepost up)")
        else:
            yield failed(error.public, "check the keyring and CAREPOST_DATABASE_URL; else restore the last backup")
        return
    except StoreFault as error:
        yield failed(f"the office database cannot be read: {error.what}", error.mend)
        return
    except CarepostError as error:
        yield failed(f"the office database cannot be read ({error.code})", "restore it, or check the keyring")
        return
    yield ok(f"organisation {org.slug}: {len(org.domains)} sender domains, policy {org.policy_version}")
    for domain in org.domains:
        if not domain.dkim:
            yield failed(f"{domain.domain} has no DKIM key", f"carepost domain check {domain.domain}")
    if not any(rule.portal_by_mail for rule in org.rules):
        words = "the portal opens only with an agreed code or question (rule portal-by-mail is off)"
        yield attention(words, "carepost rule portal-by-mail on, if mailed codes are good enough for you")


def rules(here: Local) -> Iterator[Finding]:
    """None lowers protection for whoever may send: a category or data class is what the sending program says it is."""
    try:
        organisations = here.organisations()
    except CarepostError:
        # the check of the office says it
        return
    for org in organisations:
        for rule in org.rules:
            named = rule.sender or rule.sender_domain or rule.unit
            said = rule.category or rule.data_class
            if lowers(rule) and said and not named:
                what = f"{org.slug}: the rule {rule.id} lowers protection for every program that says its mail is"
                mend = "remove it, and add it again with --sender, --sender-domain or --unit"
                yield attention(f"{what} {said}", mend)


def engines(here: Local) -> Iterator[Finding]:
    answers = here.client.health()
    if not answers:
        yield attention("no engine runs: nothing is accepted or delivered", "carepost up")
        return
    shards = {number: figures for answer in answers for number, figures in answer.shards.items()}
    own = owned(answers, here.home.node)
    if len(own) < here.home.shards:
        words = f"{len(own)} of {here.home.shards} shards have an owner"
        yield failed(words, f"see the logs of the engines in {here.home.log}")
    elif not all(own.values()):
        words = "PostgreSQL has not answered the engines for longer than a lease: they accept and send nothing"
        yield failed(words, "look at PostgreSQL and at the network to it; the engines go on by themselves")
    else:
        yield ok(f"every shard has an owner ({len(own)})")
    for number, figures in sorted(shards.items()):
        if figures.get("held"):
            yield attention(
                f"shard {number}: {figures['held']} deliveries are held",
                "look at them, and release or take back: carepost queue list --state held",
            )


def queues(here: Local) -> Iterator[Finding]:
    """How long what is due has been waiting, read from the shards themselves: also while nothing runs."""
    now = clock.now()
    try:
        found = _shared(here, now) if here.config.node_address else _on_disk(here, now)
    except CarepostError as error:
        yield failed(f"the spool cannot be read ({error.code})", "look at PostgreSQL: nothing is accepted meanwhile")
        return
    due = sum(count for count, _ in found)
    oldest = max(((now - since) // 1_000_000 for count, since in found if count), default=0)
    words = f"{due} deliveries are due, the oldest since {_span(oldest)}"
    free = _not_planned(here)
    if oldest > SLOW and free is not None and free <= SLOW:
        yield attention(
            f"{words}: a warm-up or another node keeps it back",
            "nothing, where a new sending address is being warmed up (carepost sending addresses shows its plan); else"
            " look at the other nodes",
        )
    elif oldest > STUCK:
        yield failed(words, f"carepost up, if nothing runs; else see the engines' logs in {here.home.log}")
    elif oldest > SLOW:
        yield attention(words, "more wait than leave: raise CAREPOST_ENGINES, or look at what holds them up")
    else:
        yield ok(words if due else "no delivery is overdue")


def _not_planned(here: Local) -> int | None:
    """Seconds the oldest that no plan keeps back has been due in this node's shards; None: some have no engine."""
    answers = here.client.health()
    if len(owned(answers, here.home.node)) < here.home.shards:
        return None
    return max((figures.get("oldest_s", 0) for answer in answers for figures in answer.shards.values()), default=0)


def _on_disk(here: Local, now: int) -> list[tuple[int, int]]:
    """(deliveries that are due and wait, when the first of them was due) of each shard."""
    found = []
    for number in range(here.home.shards):
        path = here.home.shard(number) / "spool.db"
        if not path.exists():
            continue
        connection = database.connect(path, None, readonly=True)
        try:
            row = connection.execute(
                "SELECT count(*), min(due_at) FROM delivery WHERE place IN (1, 2) AND due_at <= ?", (now,)
            ).fetchone()
        finally:
            connection.close()
        found.append((int(row[0]), int(row[1] or 0)))
    return found


def _shared(here: Local, now: int) -> list[tuple[int, int]]:
    """Of all nodes together. psycopg is an extra: only an installation on PostgreSQL has it."""
    url = postgres.role_url(here.config.database_url, "engine", here.keys)
    found: tuple[int, int] = importlib.import_module("carepost.spool.postgres.nodes").overdue(url, now)
    return [found]


def journal(here: Local) -> Iterator[Finding]:
    state = health.journal(here.home.run)
    log = f"see {here.home.log}/journal-00.log"
    if not state.at:
        yield attention("no journal has run here yet", "carepost up")
        return
    if not state.running:
        yield attention("the journal does not run", "carepost up; if it runs already, " + log)
        return
    for source in state.refused:
        yield failed(
            f"the log refuses what {source} brings: it does not continue what is there",
            f"stop Carepost and run carepost audit verify; then restore from a backup ({log})",
        )
    if here.config.node_address and not state.sources:
        yield ok("the journal stands by: another node's writes, and says there how far it is")
        return
    words = f"the log is {state.events_behind} events behind, the oldest {_span(int(state.lag_s))}"
    if state.lag_s > STUCK:
        yield failed(f"{words}: the doors answer 451/503", log)
    elif state.lag_s > SLOW:
        yield attention(words, f"it catches up by itself when the load ends; if it does not, {log}")
    else:
        yield ok("the log keeps up")
    if state.owed > 100:
        yield attention(f"{state.owed} portal deposits and notices are still owed", log)


def store(here: Local) -> Iterator[Finding]:
    """The cold store, as the journal last found it."""
    state = cold.read(here.home.run)
    if state is None or not state.store:
        return
    words = f"the cold store {state.store} holds {state.kept} bodies"
    if state.fault:
        since = _span((clock.now() - state.fault_at) // 1_000_000)
        yield failed(
            f"{words} and does not answer as it should ({state.fault}), since {since}",
            "carepost cold check says more; until then what lies there cannot be shown, and mail goes on",
        )
    elif state.going:
        yield ok(f"{words}; {state.going} that were disposed of are still to be deleted there")
    else:
        yield ok(words)


def keys(here: Local) -> Iterator[Finding]:
    """What an older master key still wraps."""
    current = MasterKeyring.open(here.home.keyring()).current
    if current == 1:
        return
    try:
        found = [version_of(wrapped) for wrapped in here.wrapped_keys()]
    except CarepostError:
        # the check of the office says it
        return
    left = sum(version != current for version in found)
    if left:
        yield attention(
            f"{left} of {len(found)} keys are still wrapped by an older master key",
            "nothing, while the journal runs: it wraps them anew; if the number stays, see its log",
        )
    else:
        yield ok(f"every key is wrapped by the newest master key ({current})")


def backups(here: Local, days: int) -> Iterator[Finding]:
    if here.config.node_address:
        yield ok("what the nodes share is backed up with PostgreSQL itself, not from here")
        return
    mend = "carepost backup FILE, every night and kept on another machine; the keyring apart from it"
    try:
        last = msgspec.json.decode((here.home.path / MARK).read_bytes(), type=Last)
    except (OSError, msgspec.MsgspecError):
        yield ok("a sandbox needs no backup") if here.home.sandbox else failed("there is no backup of this home", mend)
        return
    age = (clock.now() - last.at) // _DAY_US
    words = f"the last backup is {age} days old ({last.file})"
    yield failed(words, mend) if age >= days and not here.home.sandbox else ok(words)


def _span(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
