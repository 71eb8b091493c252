"""The one door: facts -> plan -> durable. Every message enters here, whatever brought it.

Never delivers, never opens a socket (its client apart), never answers before the commit, never weakens a plan.
Raises Refused (5xx / 4xx with enhanced code), Unavailable (451 / 503: nothing was accepted), NotFound.
Doors: accept.Intake, facts (what the decision may look at, also for the second look), orgkeys.DirectoryKeys,
client.Client (sync) and peer.AsyncClient: the same calls over CAREPOST_HOME/run/engine-NN.sock.

    Intake(queues: dict[int, Queue], directory, posture, purposes, config, *, shards, elsewhere=None, dns=None,
           threads=None)                     dns: who sent what came by MX; threads: the portal's conversations
    await accept(submission) -> Accepted                       after the commit
    await accept_many(submissions) -> list[Accepted | CarepostError]    each as accept, in order, sharing commits; what
        one comes to (also Refused, Unavailable, NotFound) stands in its place. Raises nothing
        what came by MX is judged (proving) and put on record or refused (inbound, own); reports about our domains are
        kept as events (reports), and a proved answer to a conversation becomes a message (conversations)
    sender_refused(RefusedSender)                              an event, rate-limited (refusals)
    await preview(submission) -> tuple[AcceptedDelivery, ...]  the same judgement, nothing written
    facts.for_claim(snapshot, seen, message, record) -> policy.Facts        for the decision before an attempt
    Client(run: Path, shards: int): accept, preview, act, lookup, listing, drain, body, health, ask
"""
