"""The decision in words a nurse reads. Constants only: no address, no subject, nothing of the message."""

from carepost.policy.types import Assurance, Decision, Deliver, Facts, Hold, Method, Plan, Step, Ternary, label

#: reason code -> sentence. Codes are stable; sentences may be improved.
REASONS = {
    "tls": "Goes over a verified encrypted connection.",
    "tls-authenticated": "Goes over an encrypted connection to a mail server whose identity is authenticated.",
    "tls-lowered": "Goes by e-mail with the best encryption offered: a recorded permission lowers what is required.",
    "smime": "Is encrypted for this person's S/MIME certificate.",
    "openpgp": "Is encrypted for this person's OpenPGP key.",
    "portal-access": "Waits in the secure portal; the person opens it with the access code or answer agreed with them.",
    "portal-by-mail": "Waits in the secure portal; the person opens it with a one-time code sent to their mailbox, "
    "which the rule portal-by-mail allows.",
    "look-first": "How the recipient's side receives mail is looked at first; nothing is sent until that is known.",
    "notice": "Is a notice without health information and goes with the best encryption offered.",
    "notice-encrypted": "Is a notice without health information; this destination has offered encryption before, "
    "so it never goes in clear.",
    "dsn": "Is a delivery report and goes over a connection as safe as its reader requires.",
    "suppressed": "This address may not be written to: it is on the suppression list.",
    "suppression-unknown": "It could not be checked whether this address may be written to. It waits.",
    "rule-refuses": "A rule of the organisation refuses this message for this recipient.",
    "rule-holds": "A rule of the organisation holds this message until a person releases it.",
    "not-known-enough": "A rule refuses some messages; whether this is one could not be found out. "
    "It waits for a person.",
    "approval-needed": "A rule of the organisation asks that somebody else approves this before it leaves.",
    "reason-needed": "A rule of the organisation asks why this is sent: give a reason (the header field "
    "X-Carepost-Reason, or the API's field reason) and send it again.",
    "key-changed": "Another key turned up for this person than the one known so far. "
    "It waits until somebody has checked.",
    "needs-access-code": "Needs an access code: agree on one with the person. Give it under Held, where the message "
    "waits, or with the next message (Write has a field for it; a mail program gives it in the header field "
    "X-Carepost-Access-Code).",
    "no-method-left": "No method that can reach this recipient is safe enough. It waits for a person to decide.",
    "methods-conflict": "The methods the message asks for and those the rules allow have none in common. It waits.",
    "uncertain-bound": "An earlier attempt may have arrived, so no other method is used. It waits for a person.",
    "tls-exclusive": "A rule allows this recipient only a verified encrypted connection, and that cannot be had.",
    "dsn-waits": "The delivery report cannot reach its reader safely. It can be read in the console.",
}  # fmt: skip

#: reason "content-pending": what a delivery says before anybody looked into the message
PENDING = "What it contains is looked at first; how it goes is decided then."
#: reason "key-pending": the same before anybody asked whether the recipient publishes a key
SEEKING = "A key of the recipient is looked for first; how it goes is decided then."

#: what a rule that warns says where the organisation gave it no words
WARNED = "A rule of the organisation asks to check this recipient and what is sent."

#: reason "needs-access-code" in more detail: why a code sent by e-mail is not enough
WHY_CODE = {
    "clear": "The recipient's side takes mail without encryption, so a code sent by e-mail could be read on the way. ",
    "unknown": "It is not known how the recipient's side takes mail, so a code sent by e-mail may not be safe. ",
    "rule": "The organisation does not open the portal to a code sent by e-mail alone. ",
    "floor": "More is required for this message than a code sent by e-mail can prove. ",
}

#: assurance in words
FLOORS = {
    Assurance.NONE: "no protection on the way",
    Assurance.ENCRYPTED: "an encrypted connection",
    Assurance.MAILBOX: "access to the recipient's mailbox",
    Assurance.VERIFIED: "a verified encrypted connection",
    Assurance.AUTHENTICATED: "an encrypted connection to an authenticated server",
    Assurance.MESSAGE: "protection of the message itself",
}

_BUILT_IN = {
    "default-floor": "the default",
    "organisation-floor": "the organisation's floor",
    "asked-by-message": "the message itself",
    "original-recipient": "the recipient it was written to",
    "notice-carries-no-phi": "the built-in rule notice-carries-no-phi",
    "known-key-changed": "the built-in rule known-key-changed",
    "suppression-list": "the suppression list",
}


def rule_name(rule: str) -> str:
    return _BUILT_IN.get(rule, f"the rule {rule}" if rule else "the default")


def words(decision: Decision, facts: Facts) -> str:
    """The whole answer in a few sentences: what happens, what was required and by what, what was seen, what is next."""
    parts = [decision.plan.words if isinstance(decision, Deliver) else decision.words]
    if isinstance(decision, Deliver):
        plan = decision.plan
        parts.append(f"Required: {FLOORS[plan.floor]} (by {rule_name(plan.floor_rule)}).")
        parts.extend(_next(plan))
        parts.extend(f"Asked to check by {rule_name(said.rule)}." for said in plan.warnings)
    elif decision.rule:
        parts.append(f"Said by {rule_name(decision.rule)}.")
        if isinstance(decision, Hold) and decision.approvals > 1:
            parts.append(f"{decision.approvals} people must approve it.")
    seen = _seen(facts)
    if seen:
        parts.append(seen)
    if facts.last_achieved is not None:
        parts.append(f"The last attempt achieved: {FLOORS[facts.last_achieved]}.")
    return " ".join(parts)


def _next(plan: Plan) -> list[str]:
    others = [s for s in plan.steps[1:] if s.method is not plan.steps[0].method]
    if plan.exclusive:
        return ["If that cannot be had, it is refused."]
    if not others:
        return ["If that cannot be had, it waits for a person."]
    return ["If that cannot be had: " + ", then ".join(_method(s) for s in others) + "."]


def _method(step: Step) -> str:
    if step.method is Method.PORTAL:
        proof = "a code sent by e-mail" if step.floor < Assurance.MESSAGE else "the agreed access code or answer"
        return f"the secure portal with {proof}"
    return {Method.TLS: "a verified connection", Method.SMIME: "S/MIME", Method.OPENPGP: "OpenPGP"}[step.method]


def _seen(facts: Facts) -> str:
    seen = facts.seen
    if facts.pinned_route:
        # the hosts that the domain names are not dialled
        return "" if seen.pinned is None else f"Seen of the pinned next hop: {FLOORS[seen.pinned]}."
    if seen.weakened:
        return "The recipient's side has lost protection it had, or moved, within the last day."
    if seen.tls is not None:
        return f"Seen of the recipient's side: {FLOORS[seen.tls]}."
    if seen.starttls is Ternary.NO:
        return "Seen of the recipient's side: it offers no encryption."
    return ""


def expected(plan: Plan, facts: Facts) -> Step | None:
    """The step that what was seen makes likely to be the one that delivers; None: likely held. For previews only."""
    best = facts.seen.pinned if facts.pinned_route else facts.seen.tls
    best = facts.last_achieved if facts.last_achieved is not None else best
    for step in plan.steps:
        if step.method is not Method.TLS or best is None or best >= step.floor:
            if step.method is Method.TLS and step.floor > Assurance.AUTHENTICATED:
                continue
            return step
    return None


def required(plan: Plan) -> str:
    """The assurance label of what the message required."""
    return label(plan.floor, None)
