"""A whole home under load while its processes are killed, and the reckoning afterwards: crash test and soak."""

import itertools
import os
import random
import signal
import time
from collections import Counter
from typing import Any

from carepost.ground import ids
from carepost.ground.errors import CarepostError
from carepost.proof import kinds
from carepost.proof.verify import verify
from tests.support import records
from tests.support.house import House
from tests.support.mailers import Books, Load, PipelinedSmtpLoad, RestLoad, SmtpLoad
from tests.support.waiting import LOOK, gone, until

#: (role, index) of what may die, engines oftener than the rest; the outside world is not ours
ROLES = (
    *[("engine", 0), ("engine", 1)] * 4,
    *[("journal", 0)] * 4,
    *[("staff", 0), ("outside", 0)] * 2,
)
#: domain -> how its messages must arrive
DOMAINS = {"verified.test": "sent", "dane.test": "sent", "mtasts.test": "sent", "greylist.test": "sent",
           "slow.test": "sent", "selfsigned.test": "deposited", "expired.test": "deposited"}  # fmt: skip

#: where the daily checkpoint is mailed to
AUDITOR = "auditor@clinic.test"


class Storm:
    """begin, kill …, calm, account, proofs; then stop the house, and log."""

    def __init__(self, house: House, pause: float = 0.15, prefix: str = "") -> None:
        """`prefix`: of all addresses, where a home lives through several storms."""
        self.house = house
        self.prefix = prefix
        self.uncertain = 0
        self.left = ""
        self.books = Books()
        self.kills: Counter[str] = Counter()
        self._numbers = itertools.count()
        self._domains = itertools.cycle(DOMAINS)
        self._loads: list[Load] = [
            SmtpLoad(house, self.books, lambda: self._address("plain"), pause),
            PipelinedSmtpLoad(house, self.books, lambda: self._address("piped"), pause),
            RestLoad(house, self.books, lambda: self._address("rest"), pause),
            SmtpLoad(house, self.books, lambda: self._address("large"), pause * 4, body=120_000),
        ]
        self._views: dict[str, dict[str, Any]] = {}
        self._arrived: dict[str, Counter[str]] = {}

    def _address(self, how: str) -> str:
        return f"{self.prefix}{how}-{next(self._numbers)}@{next(self._domains)}"

    def begin(self) -> None:
        for load in self._loads:
            load.start()
        until(lambda: len(self.books.acked) > 20, within=60, what="messages are accepted")

    def kill(self, chosen: random.Random) -> None:
        """At a random moment of the next half second, one of the processes that run then; two times of three only
        when something was accepted since the last kill, so that there is something to lose."""
        if chosen.random() < 0.67:
            before = len(self.books.acked)
            until(lambda: len(self.books.acked) >= before + 3, within=30, what="messages are accepted")
        moment = time.monotonic() + chosen.uniform(0.0, 0.5)
        until(lambda: time.monotonic() >= moment, within=5, what="the moment")
        running = until(
            lambda: {(role, index): pid for pid, role, index in self.house.children() if role != "sandbox"},
            within=30, what="something runs",
        )  # fmt: skip
        victim = chosen.choice([one for one in ROLES if one in running])
        os.kill(running[victim], signal.SIGKILL)
        assert gone(running[victim], 10)
        self.kills[victim[0]] += 1

    def calm(self, within: float = 120.0) -> None:
        """No more load; until every process is up, everything is delivered, and the journal has all of it."""
        for load in self._loads:
            load.finish()
        house = self.house
        for role, index in dict.fromkeys(ROLES):
            house.until_again(role, 0, index)
        client, org = house.client(), ids.parse(house.made.org)

        def quiet() -> bool:
            try:
                waiting = client.listing(org, "", 1000)
                figures = house.figures()
            except CarepostError as error:
                self.left = error.public
                return False
            words = [f"{d.state} ({d.method}): {d.words}" for view in waiting for d in view.deliveries]
            self.left = f"{figures}, {words[:5]}"
            return not waiting and not figures["claimed"] and not figures["outbox"]

        try:
            what = "the queues are empty and the journal has everything"
            until(quiet, within=within, what=what, told=lambda: self.left)
            # effects (a deposit's notice) follow the events: quiet is what stays quiet
            until(lambda: self._settled(quiet), within=within, what="nothing more happens")
        finally:
            client.close()

    def _settled(self, quiet: Any) -> bool:
        """For a second no mail arrived and nothing was queued, and every deposit has its notice."""
        before = len(self.house.mails())
        moment = time.monotonic() + 1.0
        while time.monotonic() < moment:
            time.sleep(LOOK)
            if not quiet():
                return False
        mails = self.house.mails()
        noticed = {mail["recipients"][0] for mail in mails if mail["kind"] == "notice"}
        wanted = {a for a in self.books.acked if DOMAINS[a.partition("@")[2]] == "deposited"}
        return len(mails) == before and wanted <= noticed

    def account(self) -> None:
        """The clients' books against what the API says and what the inboxes hold."""
        for mail in self.house.mails():
            if mail["complete"]:
                self._arrived.setdefault(mail["recipients"][0], Counter())[mail["kind"]] += 1
        for address, (_, message) in self.books.acked.items():
            status, view = self.house.request("GET", f"/api/v1/messages/{message}")
            assert status == 200, (address, status)
            self._views[address] = view
            [delivery] = view["deliveries"]
            want = DOMAINS[address.partition("@")[2]]
            assert (delivery["recipient"], delivery["state"]) == (address, want), view
            arrived = self._arrived.get(address, Counter())
            uncertain = sum(attempt["uncertain"] for attempt in delivery["attempts"])
            self.uncertain += uncertain
            if want == "sent":
                assert 1 <= arrived["message"] <= 1 + uncertain, (address, arrived, delivery)
                assert not arrived["notice"], f"by two methods: {address}"
            else:
                assert not arrived["message"], f"by two methods: {address}"
                assert arrived["notice"] >= 1, (address, arrived)
        strange = set(self._arrived) - set(self.books.acked) - self.books.unknown - {AUDITOR}
        assert not strange, strange

    def proofs(self, most: int = 1000) -> None:
        """Every delivery's proof verifies offline (those in doubt first, when there are more than `most`)."""
        views = sorted(
            self._views.values(), key=lambda v: not any(a["uncertain"] for a in v["deliveries"][0]["attempts"])
        )
        for view in views[:most]:
            [delivery] = view["deliveries"]
            path = f"/api/v1/messages/{view['id']}/proof?delivery={delivery['id']}"
            status, raw = self.house.request("GET", path)
            assert status == 200, (status, raw)
            verdict = verify(raw)
            assert verdict.ok, verdict.words
            assert verdict.recipient == delivery["recipient"]

    def log(self) -> None:
        """Of a stopped home: the audit log is whole and tells of each message once."""
        self.house.carepost("audit", "verify")
        events = records.events(self.house)
        accepted = Counter(one.on[0] for one in events if one.kind == kinds.MESSAGE_ACCEPTED)
        assert all(count == 1 for count in accepted.values())
        told = records.by_delivery(events)
        for address, view in self._views.items():
            assert accepted[view["id"]] == 1
            record = told[view["deliveries"][0]["id"]]
            assert record[kinds.DELIVERY_SENT] + record[kinds.DELIVERY_DEPOSITED] == 1, (address, record)
        # a notice is mail: it too arrives once, or the record says why not
        uncertain = sum(record[kinds.DELIVERY_UNCERTAIN] for record in told.values())
        doubled = sum(count["notice"] - 1 for count in self._arrived.values() if count["notice"])
        assert doubled <= uncertain
        with records.opened(self.house, "office.db") as office:
            deposits = office.execute("SELECT count(*), count(DISTINCT delivery) FROM mailbox_deposit").fetchone()
        assert deposits[0] == deposits[1] == sum(bool(r[kinds.DELIVERY_DEPOSITED]) for r in told.values())

    def summary(self) -> str:
        books = self.books
        return (
            f"killed {dict(self.kills)}; acknowledged {len(books.acked)}, unknown {len(books.unknown)}, "
            f"refused {dict(books.refused)}"
        )
