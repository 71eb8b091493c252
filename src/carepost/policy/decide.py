"""The protection decision (DESIGN 3): facts in, Deliver / Hold / Refuse out, with its rule and its words.

Total: every Facts has an answer. Nothing here can lower a floor below VERIFIED except an attested rule and the two
built-in exceptions the design names: `notice-carries-no-phi`, and `portal-by-mail` where an administrator turned it on.
"""

import msgspec

from carepost.policy import rules
from carepost.policy.explain import REASONS, WARNED, WHY_CODE
from carepost.policy.holding import RELEASE
from carepost.policy.types import (
    Access,
    Assurance,
    Decision,
    Deliver,
    Facts,
    Hold,
    Kind,
    Method,
    MtaSts,
    Plan,
    Refuse,
    Said,
    Step,
    Ternary,
    TlsPolicy,
)

DEFAULT_ORDER = (Method.TLS, Method.SMIME, Method.OPENPGP, Method.PORTAL)
NOTICE_RULE = "notice-carries-no-phi"
DEFAULT_RULE = "default-floor"
ORGANISATION_RULE = "organisation-floor"
MESSAGE_RULE = "asked-by-message"
ORIGINAL_RULE = "original-recipient"
SUPPRESSION_RULE = "suppression-list"
UNCERTAIN_RULE = "one-method-when-uncertain"
LOOK_RULE = "look-before-portal"
KEY_RULE = "known-key-changed"

_LOOK = Step(Method.TLS, Assurance.MESSAGE, LOOK_RULE)


def decide(facts: Facts) -> Decision:
    """What this recipient's copy needs, in order of preference. Pure and total; the same facts, the same answer."""
    effect = rules.effect(facts)
    found = _decided(facts, effect)
    if isinstance(found, Hold) and (effect.held_hours or effect.held_then):
        return msgspec.structs.replace(found, hours=effect.held_hours, then=effect.held_then)
    return found


def _decided(facts: Facts, effect: rules.Effect) -> Decision:
    stopped = _stopped(facts, effect)
    if stopped is not None:
        return stopped
    if facts.kind is Kind.NOTICE:
        return _notice(facts)
    floor, floor_rule = required(facts, effect)
    order = _order(facts, effect)
    if effect.tls_policy is TlsPolicy.EXCLUSIVE:
        order = tuple(m for m in order if m is Method.TLS)
    elif not order and facts.kind is not Kind.DSN:
        return _hold(facts, "methods-conflict", effect.methods_by or MESSAGE_RULE)
    steps: list[Step] = []
    for method in order:
        if method in facts.changed_keys and method in facts.available and method not in facts.exhausted:
            if steps:
                # what comes before may still do; when it does not, the changed key holds the copy
                break
            return _hold(facts, "key-changed", KEY_RULE)
        step = _step(method, facts, effect, floor, floor_rule)
        if step is not None:
            steps.append(step)
    _look_first(steps, facts, order, floor)
    if facts.bound_to is not None:
        # an uncertain attempt may have arrived: another method would deliver the message twice (law 6)
        steps = [s for s in steps if s.method is facts.bound_to and not is_look(s)]
    if steps:
        return Deliver(_plan(facts, effect, tuple(steps), floor, floor_rule))
    return _none_left(facts, effect, order, floor)


def required(facts: Facts, effect: rules.Effect) -> tuple[Assurance, str]:
    """The floor and what set it. Every voice can raise; only an attested rule lowers, and only the default."""
    if effect.lowered is None:
        floor, rule = Assurance.VERIFIED, DEFAULT_RULE
    else:
        floor, rule = effect.lowered, effect.lowered_by
    if facts.org_floor > max(floor, Assurance.VERIFIED):
        floor, rule = facts.org_floor, ORGANISATION_RULE
    if effect.raised > floor:
        floor, rule = effect.raised, effect.raised_by
    if facts.asked_floor is not None and facts.asked_floor > floor:
        floor, rule = facts.asked_floor, ORIGINAL_RULE if facts.made else MESSAGE_RULE
    return floor, rule


def _stopped(facts: Facts, effect: rules.Effect) -> Decision | None:
    """What forbids this recipient, whatever the protection."""
    if facts.suppressed is Ternary.YES:
        return _refuse(facts, "suppressed", SUPPRESSION_RULE)
    if effect.refused_by:
        return _refuse(facts, "rule-refuses", effect.refused_by, effect)
    if facts.suppressed is Ternary.UNKNOWN:
        return _hold(facts, "suppression-unknown", SUPPRESSION_RULE)
    if facts.kind is not Kind.MESSAGE:
        # made of constants, of a message that a person let go or turned down: who waits for it is told
        return None
    asked = _asked_of_people(facts, effect)
    if asked is not None:
        return asked
    free = _free(facts, effect)
    if facts.waited and not free and effect.waits_by:
        # rules that let it go after its wait are done with it: the one that does not is named
        reason = "rule-holds" if effect.waits_surely else "not-known-enough"
        return _hold(facts, reason, effect.waits_by, effect=effect)
    if effect.held_by and not free:
        return _hold(facts, "rule-holds", effect.held_by, effect=effect)
    if effect.unsure_by and not free:
        return _hold(facts, "not-known-enough", effect.unsure_by, effect=effect)
    return None


def _free(facts: Facts, effect: rules.Effect) -> bool:
    """Whether holds apply no longer: by a person's word, or by the clock where all rules that hold it now say so."""
    return facts.released or (facts.waited and effect.held_then == RELEASE)


def _asked_of_people(facts: Facts, effect: rules.Effect) -> Decision | None:
    """A reason from the sender, approval by others. Never of what is made of constants: nobody could give it."""
    if effect.reason_by and not facts.reasoned:
        return _refuse(facts, "reason-needed", effect.reason_by, effect)
    if effect.approvals > facts.approved:
        held = _hold(facts, "approval-needed", effect.approve_by, effect=effect)
        return msgspec.structs.replace(held, cause="approval", approvals=effect.approvals)
    if effect.reason_unsure_by and not facts.reasoned and not _free(facts, effect):
        return _hold(facts, "not-known-enough", effect.reason_unsure_by, effect=effect)
    return None


def _order(facts: Facts, effect: rules.Effect) -> tuple[Method, ...]:
    """The methods this recipient may get, in order: the message's, else the rules', else ours. All filters hold."""
    order = facts.asked_methods or effect.methods or DEFAULT_ORDER
    if effect.methods is not None:
        order = tuple(m for m in order if m in effect.methods)
    if facts.kind is Kind.DSN:
        # a report in the portal would reach nobody's inbox; it waits in the console instead (DESIGN 3)
        order = tuple(m for m in order if m is not Method.PORTAL)
    return tuple(dict.fromkeys(order))


def _step(method: Method, facts: Facts, effect: rules.Effect, floor: Assurance, rule: str) -> Step | None:
    if method not in facts.available or method in facts.exhausted:
        return None
    if method is Method.TLS:
        return _tls(facts, effect, floor, rule)
    if method is Method.PORTAL:
        return _portal(facts, effect, floor, rule)
    key = facts.smime_key if method is Method.SMIME else facts.openpgp_key
    # an unknown key is no key: the next method is as safe
    return Step(method, Assurance.MESSAGE, rule) if key is Ternary.YES else None


def _tls(facts: Facts, effect: rules.Effect, floor: Assurance, rule: str) -> Step | None:
    if effect.tls_policy is not TlsPolicy.OPPORTUNISTIC and floor < Assurance.VERIFIED:
        # forced and exclusive mean verified, even where less is permitted
        floor, rule = Assurance.VERIFIED, effect.tls_by
    if facts.seen.weakened and floor >= Assurance.VERIFIED and not facts.pinned_route:
        # its certificate may be the intruder's (DESIGN 2, posture); only an authority outside that DNS still counts
        if facts.seen.dane is not Ternary.YES and facts.seen.mta_sts is not MtaSts.ENFORCE:
            return None
        floor = max(floor, Assurance.AUTHENTICATED)
    return Step(Method.TLS, floor, rule) if floor <= Assurance.AUTHENTICATED else None


def _portal(facts: Facts, effect: rules.Effect, floor: Assurance, rule: str) -> Step | None:
    if facts.access is not Access.NONE:
        return Step(Method.PORTAL, Assurance.MESSAGE, rule)
    if _why_code(facts, effect, floor):
        return None
    return Step(Method.PORTAL, Assurance.MAILBOX, effect.by_mail or rule)


def _why_code(facts: Facts, effect: rules.Effect, floor: Assurance) -> str:
    """Why a code sent by e-mail cannot open the portal here (a key of WHY_CODE); "" where it can."""
    if floor > Assurance.VERIFIED:
        return "floor"
    if floor > Assurance.MAILBOX and not effect.by_mail:
        return "rule"
    if floor > Assurance.NONE and _wire(facts) is Ternary.NO:
        return "clear"
    return ""


def _wire(facts: Facts) -> Ternary:
    """Whether the recipient's side takes mail encrypted, by everything measured; one bad measurement is enough."""
    seen = facts.seen
    if facts.last_achieved is not None and facts.last_achieved < Assurance.ENCRYPTED:
        return Ternary.NO
    if seen.tls is not None and seen.tls < Assurance.ENCRYPTED:
        return Ternary.NO
    if facts.last_achieved is not None:
        return Ternary.YES
    # what was seen before the destination lost protection or moved says nothing about now
    return Ternary.YES if seen.tls is not None and not seen.weakened else Ternary.UNKNOWN


def _look_first(steps: list[Step], facts: Facts, order: tuple[Method, ...], floor: Assurance) -> None:
    """Never lets an e-mailed code open the portal before the recipient's side was measured.

    A TLS step before it measures. Without one a look is put there, and where even that is spent the portal goes."""
    at = next((i for i, s in enumerate(steps) if s.method is Method.PORTAL and s.floor < Assurance.MESSAGE), -1)
    if at < 0 or floor is Assurance.NONE or _wire(facts) is Ternary.YES:
        return
    if any(s.method is Method.TLS for s in steps[:at]):
        return
    if Method.TLS in facts.available and Method.TLS not in facts.exhausted:
        steps.insert(at, _LOOK)
    else:
        del steps[at]


def _notice(facts: Facts) -> Decision:
    """Notices and codes are constants and opaque ids: by the best TLS offered, in clear where none was ever seen."""
    if Method.TLS not in facts.available:
        return _hold(facts, "no-method-left", NOTICE_RULE)
    once = facts.seen.starttls is Ternary.YES or (facts.seen.tls or Assurance.NONE) >= Assurance.ENCRYPTED
    floor = Assurance.ENCRYPTED if once else Assurance.NONE
    reason = "notice-encrypted" if once else "notice"
    return Deliver(
        Plan(
            steps=(Step(Method.TLS, floor, NOTICE_RULE),),
            floor=floor,
            rule=NOTICE_RULE,
            reason=reason,
            words=REASONS[reason],
            policy_version=facts.policy_version,
            floor_rule=NOTICE_RULE,
        )
    )


def _plan(facts: Facts, effect: rules.Effect, steps: tuple[Step, ...], floor: Assurance, floor_rule: str) -> Plan:
    reason = reason_of(steps[0], facts.kind)
    warnings = tuple([Said(r, effect.words.get(r) or WARNED) for r in effect.warned_by])
    return Plan(
        steps=steps,
        floor=floor,
        rule=steps[0].rule,
        reason=reason,
        words=" ".join([REASONS[reason], *(said.words for said in warnings)]),
        policy_version=facts.policy_version,
        exclusive=effect.tls_policy is TlsPolicy.EXCLUSIVE,
        by_mail=effect.by_mail,
        floor_rule=floor_rule,
        warnings=warnings,
        untracked=effect.untracked_by,
    )


def reason_of(step: Step, kind: Kind) -> str:
    """The reason code of a plan that begins with `step`."""
    if is_look(step):
        return "look-first"
    if kind is Kind.DSN:
        return "dsn"
    if step.method is Method.TLS:
        if step.floor < Assurance.VERIFIED:
            return "tls-lowered"
        return "tls" if step.floor is Assurance.VERIFIED else "tls-authenticated"
    if step.method is Method.PORTAL:
        return "portal-access" if step.floor is Assurance.MESSAGE else "portal-by-mail"
    return step.method.value


def is_look(step: Step) -> bool:
    """TLS asked for more than it can reach: nothing is sent, what the side offers is measured."""
    return step.method is Method.TLS and step.floor > Assurance.AUTHENTICATED


def _none_left(facts: Facts, effect: rules.Effect, order: tuple[Method, ...], floor: Assurance) -> Decision:
    if facts.bound_to is not None:
        return _hold(facts, "uncertain-bound", UNCERTAIN_RULE)
    if effect.tls_policy is TlsPolicy.EXCLUSIVE:
        return _refuse(facts, "tls-exclusive", effect.tls_by)
    if facts.kind is Kind.DSN:
        return _hold(facts, "dsn-waits", DEFAULT_RULE)
    portal = Method.PORTAL in order and Method.PORTAL in facts.available and Method.PORTAL not in facts.exhausted
    if portal and facts.access is Access.NONE:
        code = _why_code(facts, effect, floor) or "unknown"
        # who asks for more than a code proves, not who opens the portal to one
        rule = required(facts, effect)[1] if code == "floor" else effect.by_mail or DEFAULT_RULE
        return _hold(facts, "needs-access-code", rule, WHY_CODE[code])
    return _hold(facts, "no-method-left", required(facts, effect)[1])


def _hold(facts: Facts, reason: str, rule: str, why: str = "", effect: rules.Effect | None = None) -> Hold:
    return Hold(reason, why + REASONS[reason] + _own_words(rule, effect), rule, facts.policy_version)


def _refuse(facts: Facts, reason: str, rule: str, effect: rules.Effect | None = None) -> Refuse:
    return Refuse(reason, REASONS[reason] + _own_words(rule, effect), rule, facts.policy_version)


def _own_words(rule: str, effect: rules.Effect | None) -> str:
    said = effect.words.get(rule, "") if effect is not None else ""
    return f" {said}" if said else ""
