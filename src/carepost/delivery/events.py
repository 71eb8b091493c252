"""The events of an attempt's end: what was required, what was seen, what was answered (DESIGN 4)."""

import msgspec

from carepost.delivery import dane
from carepost.delivery.courier import Carried
from carepost.delivery.hops import Hops
from carepost.ground import ids
from carepost.pace import providers
from carepost.policy.decide import is_look
from carepost.policy.types import Assurance, Method, Plan, Step, label
from carepost.proof import kinds
from carepost.queue.types import Claim, EventDraft, MessageRecord

ACTOR = ("system", "delivery")
#: a destination lost protection or moved; STAFF by `kinds.info`, an alert for the console
DESTINATION_WEAKENED = "destination.weakened"


class About(msgspec.Struct, frozen=True):
    """Whose event it is."""

    claim: Claim
    message: MessageRecord
    now: int

    def make(
        self,
        kind: str,
        *,
        facts: dict[str, str],
        values: dict[str, bytes] | None = None,
        result: str = "ok",
        cause: str = "",
        plan: Plan | None = None,
    ) -> EventDraft:
        claim = self.claim
        shown = plan if plan is not None else claim.record.plan
        return EventDraft(
            *kinds.make(
                kind,
                id=ids.text(ids.new(ids.shard_of(claim.message))),
                org=ids.text(claim.org),
                at=self.now,
                actor=ACTOR,
                on=(ids.text(claim.message), ids.text(claim.delivery)),
                values=values,
                facts=facts,
                result=result,
                cause=cause,
                policy=shown.policy_version if shown is not None else "",
                category=self.message.category,
            )
        )


def required(step: Step | None, plan: Plan | None) -> str:
    """The assurance label a step has to reach. A look reaches nothing: what the plan requires is said instead."""
    if step is None:
        return label(Assurance.NONE, None)
    if is_look(step) and plan is not None:
        return label(plan.floor, None)
    return label(step.floor, step.method)


def reached(step: Step | None, worth: Assurance) -> str:
    """The label of what was achieved: of a message encrypted to its recipient, not of the connection it took."""
    if step is not None and step.method in (Method.SMIME, Method.OPENPGP):
        return label(Assurance.MESSAGE, step.method)
    return label(worth, Method.TLS)


def step_facts(claim: Claim, step: Step | None, state: str) -> dict[str, str]:
    facts = {"attempt": str(claim.attempt), "state": state}
    if step is not None:
        facts["method"] = step.method._value_
        facts["required"] = required(step, claim.record.plan)
        facts["rule"] = step.rule
    return facts


def wire_facts(carried: Carried, hops: Hops | None, step: Step | None) -> dict[str, str]:
    """What was seen of the recipient's side: words and codes only."""
    ended, shake = carried.ended, carried.handshake
    facts = {"stage": ended.stage._value_, "tls": "none" if shake is None else shake.version}
    if shake is not None:
        facts["cipher"] = shake.cipher
    worth = carried.worth
    if worth is not None:
        facts["achieved"] = reached(step, worth)
    if ended.reply is not None:
        facts["code"] = str(ended.reply.code)
        if ended.reply.enhanced:
            facts["enhanced"] = ended.reply.enhanced
    if carried.host and providers.named(group := providers.group(carried.host)):
        facts["provider"] = group
    if carried.source:
        facts["source-address"] = carried.source
    if hops is not None:
        if hops.gateway:
            facts["gateway"] = hops.gateway
        facts["mta-sts"] = hops.sts.word
        facts["dns-signed"] = "yes" if hops.secure else "no"
        facts["dane"] = dane_word(hops)
        if shake is not None and carried.assessed is not None:
            fault = carried.assessed.fault
            facts["peer-name"] = "no" if fault == "wrong-name" else "yes" if not shake.chain.fault else "unknown"
    return facts


def wire_values(carried: Carried, hops: Hops | None, recipient: str) -> dict[str, bytes]:
    """The commitment `wire`; empty where no host was reached."""
    if not carried.host:
        return {}
    ended, shake, hop = carried.ended, carried.handshake, carried.hop
    policy = hops.sts.policy if hops is not None else None
    return kinds.commit_wire(
        mx=carried.host,
        address=carried.address,
        reply=ended.reply.text if ended.reply is not None else "",
        recipient=recipient,
        chain=shake.chain.der if shake is not None else (),
        tlsa=[dane.rdata(record) for record in hop.tlsa.records] if hop is not None else (),
        mta_sts=policy.text if policy is not None else b"",
    )


def dane_word(hops: Hops) -> str:
    """yes | no | unknown: usable TLSA records."""
    states = {hop.tlsa.state for hop in hops.hops}
    if dane.State.USABLE in states:
        return "yes"
    return "unknown" if dane.State.FAILED in states or not hops.hops else "no"
