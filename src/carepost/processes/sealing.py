"""What protects messages themselves, built for one engine: keys of recipients and of the organisation, where others are
found, and who opens what comes."""

import importlib
import itertools
from collections.abc import Sequence

from carepost.crypto.smime.usable import Trust
from carepost.delivery.discovery.evidence import Collector
from carepost.delivery.discovery.seeker import Seeker
from carepost.delivery.discovery.sources import Sources
from carepost.delivery.methods.keyed import Keyed
from carepost.directory import Directory, sqlite
from carepost.directory.ownkeys import SqlOwnSecrets
from carepost.directory.recipients import SqlCertificates
from carepost.ground.config import Config
from carepost.ground.home import Home
from carepost.ground.keys import PurposeKeys
from carepost.ground.orgkeys import OrgKeys
from carepost.intake.accept import Intake
from carepost.intake.addresses import Tokens
from carepost.intake.anchors import Anchors
from carepost.intake.opening import Opener
from carepost.intake.ownkeys import OwnKeys
from carepost.processes import outgoing
from carepost.queue.queue import Queue
from carepost.queue.sealing import OrgKeyBook


class Sealing:
    """`preparer`, `keyed` and `seeker` are for the deliveries; `opener` is given to the intake here."""

    def __init__(
        self, home: Home, config: Config, keys: PurposeKeys, *, directory: Directory, book: OrgKeyBook,
        intake: Intake, way: outgoing.Outgoing, queues: Sequence[Queue],
    ) -> None:  # fmt: skip
        self._recipients = _certificates(home, config, keys)
        self._secrets = _own_secrets(home, config, keys)
        tokens, anchors = Tokens(OrgKeys(keys)), Anchors()
        own = OwnKeys(tokens, self._secrets)
        #: opens what came encrypted, and judges who signed it
        self.opener = Opener(
            own, tokens, book, self._recipients,
            lambda known: Trust(anchors.store(known), unknown_ok=known.revocation_unknown_ok),
        )  # fmt: skip
        intake.opener = self.opener
        self._collector = Collector(way.files, anchors)
        self.preparer = outgoing.preparer(keys)
        self.keyed = Keyed(
            self.preparer, book, intake.judge.keys, self._recipients, aside=outgoing.preparer(keys), own=own,
            collector=self._collector,
        )  # fmt: skip
        turn = itertools.cycle(queues)
        sources = Sources(way.resolver, way.files)
        self.seeker = Seeker(sources, anchors, directory, intake.judge.keys, lambda: next(turn))

    async def close(self) -> None:
        self.keyed.close()
        await self.seeker.close()
        await self._collector.close()
        self._recipients.close()
        self._secrets.close()


def _certificates(home: Home, config: Config, keys: PurposeKeys) -> SqlCertificates:
    if config.database_url:
        # psycopg is an extra: only an installation on PostgreSQL has it
        read: SqlCertificates = importlib.import_module("carepost.directory.postgres").certificates(
            config.database_url, keys
        )
        return read
    return sqlite.certificates(home.office_db, keys)


def _own_secrets(home: Home, config: Config, keys: PurposeKeys) -> SqlOwnSecrets:
    if config.database_url:
        read: SqlOwnSecrets = importlib.import_module("carepost.directory.postgres").own_secrets(
            config.database_url, keys
        )
        return read
    return sqlite.own_secrets(home.office_db, keys)
