"""All records of one sender domain as one course of questions: the same for an engine, a page and a test."""

from carepost.rfc.asking import Course
from carepost.senders import hosts, keys, policies, spf, transport
from carepost.senders.types import Asked, Line


def check(asked: Asked) -> Course[tuple[Line, ...]]:
    """In the order in which a person sets them up."""
    addresses = asked.addresses
    if asked.house or not addresses:
        known = {one.ip for one in addresses}
        addresses += tuple(one for one in (yield from hosts.of_host(asked.host)) if one.ip not in known)
    found = [(yield from spf.check(asked.domain, addresses, asked.host))]
    found += yield from keys.check(asked.domain, asked.keys)
    found += yield from policies.check(asked)
    found += yield from hosts.check(asked, addresses)
    found += yield from transport.check(asked)
    return tuple(found)
