"""Deciding again at each attempt (DESIGN 2, step 7): the stricter of the stored and the new plan is carried out."""

import msgspec

from carepost.policy.decide import decide, is_look, reason_of
from carepost.policy.explain import REASONS
from carepost.policy.types import Assurance, Decision, Deliver, Facts, Hold, Kind, Method, Plan, Refuse, Step


def after(facts: Facts, method: Method, achieved: Assurance | None) -> Facts:
    """`facts` once `method` was given up; `achieved` is what TLS reached, None where nothing was measured."""
    exhausted = facts.exhausted if method in facts.exhausted else (*facts.exhausted, method)
    last = achieved if achieved is not None else facts.last_achieved
    return msgspec.structs.replace(facts, exhausted=exhausted, last_achieved=last)


def stricter(stored: Plan, new: Plan) -> Plan:
    """`new`, held to whatever `stored` required more of. Its steps may be empty: then nothing may be sent."""
    floor = max(stored.floor, new.floor)
    exclusive = stored.exclusive or new.exclusive
    by_mail = new.by_mail if stored.by_mail or stored.floor <= Assurance.MAILBOX else ""
    enough = floor <= Assurance.MAILBOX or (floor <= Assurance.VERIFIED and bool(by_mail))
    tls = max((s.floor for s in stored.steps if s.method is Method.TLS), default=Assurance.NONE)
    steps: list[Step] = []
    for step in new.steps:
        if step.method is Method.TLS:
            needed = max(step.floor, tls, floor)
            steps.append(step if needed is step.floor else Step(Method.TLS, needed, stored.rule))
        elif not exclusive and (step.floor is Assurance.MESSAGE or enough):
            steps.append(step)
    if not any(s.floor < Assurance.MESSAGE and s.method is Method.PORTAL for s in steps):
        # a look is for the portal that follows it
        steps = [s for s in steps if not is_look(s)]
    if floor is new.floor and exclusive is new.exclusive and tuple(steps) == new.steps:
        return new
    plan = msgspec.structs.replace(new, steps=tuple(steps), floor=floor, exclusive=exclusive, by_mail=by_mail)
    if floor is not new.floor:
        plan = msgspec.structs.replace(plan, floor_rule=stored.floor_rule)
    if not steps or steps[0] == new.steps[0]:
        return plan
    reason = reason_of(steps[0], Kind.DSN if new.reason == "dsn" else Kind.MESSAGE)
    return msgspec.structs.replace(plan, rule=steps[0].rule, reason=reason, words=REASONS[reason])


def decide_again(stored: Plan | None, facts: Facts) -> Decision:
    """The decision for the act: `decide`, held to the plan the door answered with. None: none was stored."""
    decision = decide(facts)
    if stored is None or not isinstance(decision, Deliver):
        return decision
    plan = stricter(stored, decision.plan)
    if plan is decision.plan:
        return decision
    if plan.steps:
        return Deliver(plan)
    reason = "tls-exclusive" if plan.exclusive else "no-method-left"
    kind = Refuse if plan.exclusive else Hold
    return kind(reason, REASONS[reason], plan.floor_rule, plan.policy_version)
