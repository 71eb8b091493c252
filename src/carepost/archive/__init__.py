"""What became of messages: their history, search, timelines rebuilt from the log, proofs, retention and legal hold.

Never writes but from the journal; never shows anything without its event first (law 7); never keeps a header in clear
or under a key that outlives the content. Absent and forbidden answer the same NotFound.
Doors (org: 16 bytes; actor: wire.types.Actor):
    access.access_message(org, message_id, actor) -> wire.types.MessageView        event message.viewed
    lists.listing(org, actor, after="", since=0, until=0, state="", limit=50) -> lists.Page      event message.listed
    search.search(org, actor, search.Wanted(...), after="", limit=50) -> lists.Page              event message.searched
    proof.build(org, message_id, delivery_id, actor) -> bytes                      event proof.exported
    store.store() -> audit.store.Store: the log of this installation, for audit.reader
    health.journal(home.run) -> health.JournalState: lag of the journal; writing, retention: for the journal alone
"""
