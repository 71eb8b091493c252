"""Every action refuses a stranger, somebody of another organisation, and a role without the permission; and leaves
nothing: no row, no event, no epoch."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps

from carepost.ground.errors import CarepostError
from carepost.policy.types import Assurance, Rule
from carepost.tenancy import events
from carepost.tenancy.actions import (
    access,
    dkim_keys,
    domains,
    holds,
    keys,
    organisations,
    policy,
    routes,
    staff,
    suppression,
    suppression_many,
)
from carepost.tenancy.permissions import Forbidden
from carepost.wire.types import Actor

pytestmark = pytest.mark.django_db(databases=["default", "records"])

Act = Callable[[uuid.UUID, Actor], object]
SOMEBODY = uuid.uuid4()
RULE = Rule(id="r", floor=Assurance.AUTHENTICATED)

ACTIONS: dict[str, Act] = {
    "create_organisation": lambda _org, by: organisations.create_organisation("new-one", "New", actor=by),
    "change_settings": lambda org, by: organisations.change_settings(org, actor=by, phone="1"),
    "close_organisation": lambda org, by: organisations.close_organisation(org, actor=by, reason="r"),
    "add_unit": lambda org, by: organisations.add_unit(org, "Ward", actor=by),
    "change_unit": lambda org, by: organisations.change_unit(org, SOMEBODY, actor=by, phone="1"),
    "add_domain": lambda org, by: domains.add_domain(org, "new.test", actor=by),
    "remove_domain": lambda org, by: domains.remove_domain(org, "new.test", actor=by, reason="r"),
    "make_next": lambda org, by: dkim_keys.make_next(org, "new.test", actor=by),
    "switch": lambda org, by: dkim_keys.switch(org, "new.test", actor=by, shown={}),
    "revoke": lambda org, by: dkim_keys.revoke(org, "new.test", "s1", actor=by, reason="r"),
    "add_staff": lambda org, by: staff.add_staff(org, "x@clinic.test", "X", "sender", actor=by),
    "grant_role": lambda org, by: staff.grant_role(org, SOMEBODY, "sender", actor=by, reason="r"),
    "revoke_role": lambda org, by: staff.revoke_role(org, SOMEBODY, "sender", actor=by, reason="r"),
    "new_link": lambda org, by: staff.new_link(org, SOMEBODY, actor=by, reason="r"),
    "disable_staff": lambda org, by: staff.disable_staff(org, SOMEBODY, actor=by, reason="r"),
    "add_key": lambda org, by: access.add_key(org, "K", ["send"], actor=by),
    "limit_key": lambda org, by: access.limit_key(org, SOMEBODY, 1, actor=by),
    "revoke_key": lambda org, by: access.revoke_key(org, SOMEBODY, actor=by),
    "add_credential": lambda org, by: access.add_credential(org, "C", actor=by),
    "revoke_credential": lambda org, by: access.revoke_credential(org, SOMEBODY, actor=by),
    "add_route": lambda org, by: routes.add_route(org, "x.test", "mx.x.test", 25, actor=by),
    "remove_route": lambda org, by: routes.remove_route(org, "x.test", actor=by),
    "add_rule": lambda org, by: policy.add_rule(org, RULE, actor=by, reason="r"),
    "remove_rule": lambda org, by: policy.remove_rule(org, "r", actor=by, reason="r"),
    "restore_version": lambda org, by: policy.restore_version(org, 1, actor=by, reason="r"),
    "set_portal_by_mail": lambda org, by: policy.set_portal_by_mail(org, True, actor=by, reason="r"),
    "rotate_key": lambda org, by: keys.rotate_key(org, "content", actor=by, reason="r"),
    "place_hold": lambda org, by: holds.place_hold(org, SOMEBODY, actor=by, reason="r"),
    "lift_hold": lambda org, by: holds.lift_hold(org, SOMEBODY, actor=by, reason="r"),
    "suppress": lambda org, by: suppression.suppress(org, "p@x.test", actor=by, reason="bounce"),
    "restore": lambda org, by: suppression.restore(org, SOMEBODY, actor=by),
    "suppress_many": lambda org, by: suppression_many.suppress_many(
        org, [suppression.wanted("p@x.test", "bounce")], actor=by
    ),
    "unsuppress_many": lambda org, by: suppression_many.unsuppress_many(
        org, actor=by, reason="r", reasons=("bounce",), scopes=("all",)
    ),
    "unsuppress": lambda org, by: suppression.unsuppress(org, "p@x.test", actor=by, reason="r"),
}
#: an operator may keep the suppression list; everything else above is the administrator's
OPERATORS = {"suppress", "unsuppress", "restore", "suppress_many", "unsuppress_many"}
WHO = ("stan", "hal", "olga", "nobody", "unknown-key", "malformed")


def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows of tenancy, to compare before and after."""
    return {m.__name__: list(m.objects.order_by("pk").values()) for m in apps.get_app_config("tenancy").get_models()}


def test_the_table_names_every_action() -> None:
    modules = (
        access,
        dkim_keys,
        domains,
        holds,
        keys,
        organisations,
        policy,
        routes,
        staff,
        suppression,
        suppression_many,
    )
    public = {
        name
        for module in modules
        for name, value in vars(module).items()
        if not name.startswith("_")
        and getattr(value, "__module__", "") == module.__name__
        and hasattr(value, "__code__")
        and "actor" in value.__code__.co_varnames[: value.__code__.co_argcount + value.__code__.co_kwonlyargcount]
    }
    assert public == set(ACTIONS)


@pytest.mark.parametrize(
    ("name", "who"), [(name, who) for name in ACTIONS for who in WHO if who != "olga" or name not in OPERATORS]
)
def test_it_is_refused(name: str, who: str, cast: Any) -> None:
    actors = {
        "stan": cast.stan,
        "hal": cast.hal,
        "olga": cast.olga,
        "nobody": Actor("recipient", str(uuid.uuid4())),
        "unknown-key": Actor("key", str(uuid.uuid4())),
        "malformed": Actor("staff", "x' OR 1=1 --"),
    }
    before = everything()
    with pytest.raises(Forbidden):
        ACTIONS[name](cast.clinic, actors[who])
    assert everything() == before
    assert events.head() == before["OutboxHead"][0]["seq"]


@pytest.mark.parametrize("name", sorted(set(ACTIONS) - {"create_organisation"}))
def test_an_organisation_that_is_not_there_is_not_found(name: str, cast: Any) -> None:
    with pytest.raises(CarepostError) as refused:
        ACTIONS[name](uuid.uuid4(), Actor("system", "command-line"))
    assert refused.value.code == "not-found"
