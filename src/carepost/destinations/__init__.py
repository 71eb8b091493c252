"""Read models of where mail goes: so far the addresses nothing is sent to, as people may see them.

Never decides (posture and policy do), never shows an address without an event first.
Doors: suppressions.listing(org, actor) -> list[Suppressed]                       event suppression.listed
       reports.keep(org, event, received)  the journal's;  reports.picture(org, actor, domain, days=30) -> Picture
"""
