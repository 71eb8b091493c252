"""How each recipient's copy must be protected: a pure, total function of facts, with the reason in words.

Never reads a clock, a socket or a table; never raises; an unknown fact never weakens what it answers.
Doors: `types` (facts, rules, plans), `decide.decide`, `needs.needs` (what of the content must be looked at first),
`again.decide_again`, `again.stricter`, `again.after`, `rules.effect`, `explain.words`, `explain.expected`.
"""
