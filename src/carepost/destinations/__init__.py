"""What recipients' domains were seen to offer, and to whom nothing is sent: a read model for the console.

Never decides (posture and policy do), never holds a domain in clear.
Doors: seen.listing(org, actor), seen.note(...) for the journal; suppressions.listing(org, actor).
"""
