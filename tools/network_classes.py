"""Makes `src/carepost/tracking/networks.txt`, the table of network classes, from public data fetched beforehand.

    python tools/network_classes.py ASN_FOLDER IPORIGIN_FOLDER > src/carepost/tracking/networks.txt

ASN_FOLDER: unpacked npm package `@ip-location-db/asn` (asn-ipv4-num.csv, asn-ipv6-num.csv; RouteViews, NRO and
DB-IP, CC BY 4.0).
IPORIGIN_FOLDER: unpacked PyPI package `iporigin` (MIT); only Apple's relay and Tor, as their operators publish."""

import csv
import ipaddress
import itertools
import pathlib
import sys
from collections.abc import Iterable, Iterator

#: autonomous systems by class: those a maker or provider announces itself (reference: tracking.md 5.2, T7 and T8)
SYSTEMS: dict[str, frozenset[int]] = {
    "gateway": frozenset({
        15324, 22843, 26211, 52129, 13916, 30031, 33538, 397726, 39588, 42427, 60492, 208638, 136792, 37235,
        16417, 30238, 30215, 40427, 16880, 132229, 40934, 53928, 200589, 401943, 20317, 46484, 17330, 7754,
        17370, 53780, 48328, 33151, 12441, 59657, 61234, 58976, 25046, 30343, 31997, 32106, 398391, 153913,
    }),
    # people browse through these: Zscaler, Netskope, Umbrella, iboss, Menlo, Cato, Forcepoint, Palo Alto, Check Point
    "webproxy": frozenset({
        22616, 53813, 62044, 62907, 53444, 55256, 36692, 25605, 396253, 202276, 137922, 62654, 13150, 138627,
        44444, 13448, 43251, 42465, 54538, 64280, 396421, 213176,
    }),
    "microsoft": frozenset({
        8075, 8070, 35106, 3598, 8069, 200517, 8068, 12076, 54396, 46182, 17144, 63314, 30520, 45139, 5761,
        58862,
    }),
    "google": frozenset({15169, 396982, 36384, 19527, 43515, 36492, 36411, 36040, 36383, 395973, 139190, 41264, 36385}),
    "amazon": frozenset({16509, 14618, 8987, 801, 7224, 62785, 400098, 21664, 36263, 401395, 9059}),
    "yahoo": frozenset({36647, 26101, 36646, 10310, 34010, 10229, 56173, 24506, 42173, 7280, 6992, 23879, 10880}),
    "vpn": frozenset({136787, 272096, 207137, 147049, 141039, 9009, 16247, 212238, 60068, 216025, 39351, 198605}),
    "hosting": frozenset({
        20940, 16625, 31898, 16276, 35540, 24940, 213230, 212317, 14061, 393406, 63949, 20473, 13335, 209242,
        14789, 132892, 202623, 395747, 47583, 33070, 19994, 15395, 27357, 8560, 29447, 12876, 54265, 26496,
        395954, 60781, 32613, 7203, 30633, 27411, 28753, 396190, 396362, 51167, 40021, 141995, 54113, 36351,
        197540, 19318, 46261, 40676, 29802, 61317, 49505, 9123, 210976, 8315, 49981, 202053, 25697, 36007,
        64437, 43350, 50673, 21859, 62610, 54825, 12189, 37963, 45102, 134963, 45090, 132203, 55990, 135377,
        200350, 46844, 49544, 7979, 42831, 53667, 36352, 23470, 25820, 54290, 30083, 62567,
    }),
}  # fmt: skip
#: smaller than these are left out: they are odds and ends of provider networks, and the table stays readable
SMALLEST = {4: 24, 6: 48}
#: what is published address by address is rounded up to these: a relay or a Tor exit has neighbours of its kind
#: (and is not joined: no prefix of a data centre around it is longer, so it counts)
ROUNDED = {("relay", 4): 24, ("relay", 6): 48, ("vpn", 6): 48}


def ranges(folder: pathlib.Path) -> Iterator[tuple[str, int, int, int]]:
    """(class, IP version, first, last)."""
    by_system = {system: klass for klass, systems in SYSTEMS.items() for system in systems}
    for version in (4, 6):
        with (folder / f"asn-ipv{version}-num.csv").open(encoding="utf-8", newline="") as file:
            for first, last, system, *_ in csv.reader(file):
                klass = by_system.get(int(system))
                if klass is not None:
                    yield klass, version, int(first), int(last)


def published(folder: pathlib.Path) -> Iterator[tuple[str, int, int, int]]:
    sys.path.insert(0, str(folder))
    data = __import__("iporigin._data", fromlist=["_Dataset", "DATA_FILE"])
    table = data._Dataset(data.DATA_FILE.read_bytes())
    wanted = {
        number: "relay" if provider == "Apple Private Relay" else "vpn"
        for number, (provider, kind) in enumerate(table.labels)
        if provider == "Apple Private Relay" or kind == "tor"
    }
    columns = {
        4: (table.v4_starts, table.v4_ends, table.v4_labels),
        6: (table.v6_starts, table.v6_ends, table.v6_labels),
    }
    for version, (starts, ends, labels) in columns.items():
        for first, last, label in zip(starts, ends, labels, strict=True):
            if label in wanted:
                yield wanted[label], version, first, last


def networks(found: Iterable[tuple[str, int, int, int]]) -> Iterator[tuple[str, str]]:
    """(network, class) in the order of addresses."""
    kinds = {4: ipaddress.IPv4Address, 6: ipaddress.IPv6Address}
    for (klass, version), group in itertools.groupby(sorted(found), key=lambda row: row[:2]):
        split = itertools.chain.from_iterable(
            ipaddress.summarize_address_range(kinds[version](first), kinds[version](last))
            for _, _, first, last in group
        )
        most = ROUNDED.get((klass, version), 128)
        rounded = (n if n.prefixlen <= most else n.supernet(new_prefix=most) for n in split)
        for network in sorted(set(rounded)) if klass == "relay" else ipaddress.collapse_addresses(rounded):
            if network.prefixlen <= SMALLEST[version] or klass in ("vpn", "gateway"):
                yield str(network), klass


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    asn, origin = map(pathlib.Path, sys.argv[1:])
    print("# Networks by class: `prefix class`, the longest prefix counts. Made by tools/network_classes.py.")
    print("# Prefixes of autonomous systems: RouteViews, NRO and DB-IP (https://db-ip.com), CC BY 4.0.")
    print("# Apple's relay and Tor: as published by their operators. Replaceable: any file of this form may be given.")
    for network, klass in networks(itertools.chain(ranges(asn), published(origin))):
        print(network, klass)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
