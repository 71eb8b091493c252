"""engagement: which copies were opened and clicked, by a person or a machine, where an organisation watches at all.

Never keeps an address or a user agent, never decides a verdict (`tracking.judge` does), never writes around its doors:
`acts.watch(org, category, ...)`, `acts.count_as(org, switch, ...)`, `acts.put_host(org, domain, host, ...)`,
`acts.remove_host`, `networks.add(org, prefix, means, ...)`, `networks.remove` (Permission.TRACKING);
`networks.add_shared` (command line alone); `tables.Tables().of(org)`: what features are made with;
`select.settings(org)`, `select.access_report(org, actor, ...)`, `select.access_copies(org, actor, message)`;
`asking.client(request)`, `sessions.opened(org, address, client, agent)`: the portal's, when a person opened it;
`arriving.Arrivals().put(arrived)`: the one writer of hits in what faces outside; `folding.Folding(store).step(now)`:
the journal's, from hits to verdicts and their events. Errors: names.Wrong, NotFound, Forbidden."""
