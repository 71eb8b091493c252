"""How fast mail may leave: provider groups from MX hosts, limits of each, what their replies ask for, warm-up. Pure.

Facts in, limits out: it sends nothing, waits for nothing, keeps nothing; the clock is an argument.
Doors: providers.group(mx host) -> str; providers.find(group) -> Provider; limits.Limits, .stricter; rate.share, .admit;
reactions.matched(group, code, text) -> [Reaction]; lane.react, .accepted, .lifted, .in_force(state, base, now);
warmup.cap(plan, days) -> int | None. Tables a person can read: providers.toml, reactions.toml."""
