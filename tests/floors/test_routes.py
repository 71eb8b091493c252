"""No page without a gate: every URL of every face says which permission, key scope or reason lets a caller in."""

import importlib
from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver

from carepost.tenancy.permissions import Permission, Scope

FACES = ("carepost.settings.urls_console", "carepost.settings.urls_api", "carepost.settings.urls_outside")


def patterns(entries: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in entries:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry.url_patterns, route)
        else:
            yield route, entry


def routes(face: str) -> list[tuple[str, URLPattern]]:
    return list(patterns(importlib.import_module(face).urlpatterns))


ALL = [(face, route, pattern) for face in FACES for route, pattern in routes(face)]


@pytest.mark.parametrize(("face", "route", "pattern"), ALL, ids=[f"{f.rpartition('_')[2]}:/{r}" for f, r, _ in ALL])
def test_it_names_its_gate(face: str, route: str, pattern: URLPattern) -> None:
    gate = getattr(pattern.callback, "carepost_gate", None)
    assert gate is not None, (
        f"/{route} of {face} has no gate: use tenancy.gates.permission, open_to_all or api.gate.scoped"
    )
    kind, _, said = gate.partition(": ")
    if kind == "open":
        assert len(said.split()) >= 3, f"/{route}: say why it is open"
    elif kind == "key":
        assert said in set(Scope)
    else:
        assert gate in set(Permission)


def test_machines_and_staff_share_no_address_and_outside_needs_no_staff_role() -> None:
    console, api = ({r for r, _ in routes(face)} for face in FACES[:2])
    assert not console & api
    assert all(pattern.callback.carepost_gate.startswith("open: ") for _, pattern in routes(FACES[2]))
    assert all(not pattern.callback.carepost_gate.startswith("key: ") for _, pattern in routes(FACES[0]))
