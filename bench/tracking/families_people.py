"""Families of people with an ordinary browser."""

import random

from families_scenes import desktop, family, person, phone, wait
from world import (
    AZURE,
    CLOUDS,
    GMAIL,
    HOMES,
    NOW_CHROME,
    OFFICES,
    OUTLOOK,
    RELAYS,
    Copy,
    Scene,
    address,
    chrome,
    firefox,
    plain,
    safari,
)


@family
def h_desk(r: random.Random) -> Scene:
    click, picture = desktop(r)
    copy = Copy(links=r.randrange(1, 9))
    some = sorted(r.sample(range(1, copy.links + 1), min(copy.links, r.choice((1, 1, 1, 2, 3)))))
    return [
        person(
            r,
            copy,
            click=click,
            picture=picture,
            home=address(r, OFFICES),
            start=wait(r),
            links=some,
            gap=lambda: r.uniform(5, 200),
        )
    ]


@family
def h_phone(r: random.Random) -> Scene:
    click, picture = phone(r)
    copy = Copy(links=r.randrange(1, 7))
    return [
        person(
            r,
            copy,
            click=click,
            picture=picture,
            home=address(r, HOMES),
            start=wait(r, 900),
            links=[r.randrange(1, copy.links + 1)],
            gap=lambda: 5,
        )
    ]


@family
def h_quick(r: random.Random) -> Scene:
    """A notification on the telephone, a tap on the only button: clicks 3 to 8 seconds after the 250."""
    click, picture = phone(r) if r.random() < 0.6 else desktop(r)
    return [
        person(
            r,
            Copy(links=r.randrange(1, 4)),
            click=click,
            picture=picture,
            home=address(r, HOMES),
            start=r.uniform(1.6, 4),
            read=r.uniform(1.2, 4),
            links=[1],
            gap=lambda: 5,
        )
    ]


@family
def h_reads_all(r: random.Random) -> Scene:
    """Follows every link, one after the other."""
    click, picture = desktop(r) if r.random() < 0.5 else phone(r)
    copy = Copy(links=r.randrange(2, 7))
    return [
        person(
            r,
            copy,
            click=click,
            picture=picture,
            home=address(r, HOMES),
            start=wait(r, 300),
            links=list(range(1, copy.links + 1)),
            gap=lambda: r.uniform(1.8, 15),
        )
    ]


@family
def h_tabs(r: random.Random) -> Scene:
    """Opens links in tabs with the wheel of the mouse: a quarter of a second to two seconds between."""
    click = chrome("windows", site="cross-site") if r.random() < 0.7 else firefox(site="cross-site")
    copy = Copy(links=r.randrange(3, 8))
    some = list(range(1, copy.links + 1)) if r.random() < 0.3 else sorted(r.sample(range(1, copy.links + 1), 3))
    return [
        person(
            r,
            copy,
            click=click,
            picture=plain(GMAIL),
            home=address(r, HOMES),
            start=wait(r),
            links=some,
            gap=lambda: r.uniform(0.35, 2.0),
        )
    ]


@family
def h_double(r: random.Random) -> Scene:
    """Clicks everything twice."""
    click, picture = desktop(r)
    return [
        person(
            r,
            Copy(links=r.randrange(1, 5)),
            click=click,
            picture=picture,
            home=address(r, HOMES),
            start=wait(r),
            links=[1, 1],
            gap=lambda: r.uniform(0.06, 0.4),
        )
    ]


@family
def h_old_hospital(r: random.Random) -> Scene:
    """Machines nobody may update."""
    kind = r.randrange(4)
    if kind == 0:
        click = plain(
            "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
            accept="text/html, application/xhtml+xml, image/jxr, */*",
            lang="en-US",
            coding="gzip, deflate",
        )
    elif kind == 1:
        click = chrome("windows7", r.choice((49, 109)))
    elif kind == 2:
        click = firefox("windows7", r.choice((52, 115)))
    else:
        click = chrome("windows", r.choice((72, 83, 92, 103)), edge=False)
    copy = Copy(links=r.randrange(1, 6))
    return [
        person(
            r,
            copy,
            click=click,
            picture=plain(OUTLOOK),
            home=address(r, OFFICES),
            start=wait(r),
            links=[r.randrange(1, copy.links + 1)],
            gap=lambda: 9,
        )
    ]


@family
def h_old_tablet(r: random.Random) -> Scene:
    click = safari(r.choice(("ipad", "iphone")), r.choice((9, 10, 12, 14, 15)))
    return [
        person(
            r,
            Copy(links=r.randrange(1, 5)),
            click=click,
            picture=None,
            home=address(r, HOMES),
            start=wait(r),
            links=[1],
            gap=lambda: 9,
        )
    ]


@family
def h_vpn(r: random.Random) -> Scene:
    click, _ = desktop(r)
    nets = r.choice((("185.159.157.{2}", "146.70.{1}.{2}", "89.187.{1}.{2}"), RELAYS, CLOUDS))
    return [
        person(
            r,
            Copy(links=r.randrange(1, 6)),
            click=click,
            picture=None,
            home=address(r, nets),
            start=wait(r),
            links=[1],
            gap=lambda: 9,
        )
    ]


@family
def h_desktop_in_cloud(r: random.Random) -> Scene:
    """Staff whose desktops run in Azure or AWS; some remote browsers are Linux in a cloud."""
    click = chrome("windows", NOW_CHROME - r.choice((0, 1, 2, 5)), edge=True, site=r.choice(("cross-site", "none")))
    if r.random() < 0.3:
        click = chrome("linux", NOW_CHROME - r.choice((0, 1, 2)), site="cross-site")
    nets = AZURE if r.random() < 0.6 else CLOUDS
    copy = Copy(links=r.randrange(1, 6))
    some = sorted(r.sample(range(1, copy.links + 1), min(copy.links, r.choice((1, 1, 2)))))
    return [
        person(
            r,
            copy,
            click=click,
            picture=None,
            home=address(r, nets),
            start=wait(r, 1200),
            links=some,
            gap=lambda: r.uniform(4, 60),
        )
    ]
