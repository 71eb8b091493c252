"""keyring: certificates of recipients, where each came from, which is used, and what became of the others.

It never replaces a pinned certificate by a found one, and never uses one that a person distrusted.
Doors: `acts.add_key(org, address, data, *, actor, reason) -> RecipientKey`, `acts.pin_key`, `acts.distrust_key`,
`acts.import_keys(org, lines, *, actor, reason, dry_run) -> list[Imported]`;
`select.keys_of(org, actor, address) -> tuple[Shown, ...]`, `select.listing(org, actor, *, after, limit) -> Page`;
`found.take(org, found) -> str`, `found.used`, `found.withdraw` (the journal); `looking.looking, choose, believe,
disbelieve` (where keys are looked for, whom is believed); `uploads.begin, finish, on_file, take_back` (the portal);
the engine reads the view `engine_recipient_key`. Errors: Refused, NotFound, Forbidden.
"""
