"""Keys found by themselves, in a whole home: SMIMEA and OPENPGPKEY in signed DNS, a Web Key Directory; and what must
not be taken. Real processes: the engine asks, the journal lays the key in, the delivery waits for the keyring."""

from typing import Any

import pytest

from tests.support import records
from tests.support.house import House
from tests.support.waiting import until


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with House(tmp_path_factory.mktemp("keys")) as running:
        yield running


def delivery(house: House, sent: dict[str, Any]) -> dict[str, Any]:
    status, found = house.request("GET", f"/api/v1/messages/{sent['id']}")
    assert status == 200, found
    one: dict[str, Any] = found["deliveries"][0]
    return one


def ended(house: House, to: str, **more: Any) -> dict[str, Any]:
    sent = house.send(to, **more)
    return until(
        lambda: (one := delivery(house, sent)) and one["state"] in ("sent", "deposited", "failed", "held") and one,
        within=40, what=f"the message to {to} ends",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("domain", "method", "source"),
    [("smimea.test", "smime", "smimea"), ("openpgpkey.test", "openpgp", "openpgpkey"), ("wkd.test", "openpgp", "wkd")],
)
def test_a_published_key_is_found_kept_and_used(house: House, domain: str, method: str, source: str) -> None:
    """The recipient's side proves nothing by TLS: without the key the message would go into the portal."""
    to = f"testina.sample@{domain}"
    one = ended(house, to)
    assert (one["state"], one["method"], one["assurance"]) == ("sent", method, "MESSAGE"), (one, house.logs())
    [mail] = house.arrived(to)
    raw = house.raw(mail["id"])
    assert b"Nothing real." not in raw, "encrypted to its reader"
    assert b"An invented matter" not in raw.partition(b"\r\n\r\n")[0]
    # the next one asks nobody: the key is known
    again = ended(house, to)
    assert (again["state"], again["method"]) == ("sent", method)

    def laid() -> Any:
        log = records.events(house)
        found = [e for e in log if e.kind == "keyring.key-found" and e.facts["source"] == source]
        taken = [e for e in log if e.kind == "keyring.key-taken" and e.facts["source"] == source]
        used = [
            e for e in log if e.kind == "delivery.sent" and taken and e.facts.get("recipient-key") == taken[0].on[0]
        ]
        return (found, taken, used) if len(used) == 2 else None

    found, taken, used = until(laid, within=20, what="the events")
    assert found[0].facts == {"method": method, "source": source} and found[0].on == []
    assert taken[0].facts == {"method": method, "source": source, "state": "in use"} and len(taken) == 1
    assert len(used) == 2, "every use names the key"
    assert not any(to in str(e) for e in (*found, *taken))


@pytest.mark.parametrize("domain", ["wkddirect.test", "wkdmoved.test"])
def test_a_directory_at_the_domain_itself_and_one_that_redirects_there(house: House, domain: str) -> None:
    one = ended(house, f"testina.sample@{domain}")
    assert (one["state"], one["method"], one["assurance"]) == ("sent", "openpgp", "MESSAGE"), (one, house.logs())


@pytest.mark.parametrize(
    "to", ["testina.sample@unsignedkeys.test", "nobody.sample@smimea.test", "nobody.sample@wkd.test"]
)
def test_what_nobody_vouches_for_or_is_not_there_leaves_the_message_to_the_next_method(house: House, to: str) -> None:
    """RFC 8162: an SMIMEA answer without DNSSEC is no answer."""
    one = ended(house, to)
    assert (one["state"], one["method"]) == ("deposited", "portal"), one


def test_a_message_that_may_only_go_encrypted_waits_for_the_look_and_is_held_where_there_is_no_key(
    house: House,
) -> None:
    asked = {"protection": {"methods": ["smime"]}}
    held = ended(house, "someone.sample@selfsigned.test", **asked)
    assert (held["state"], held["reason"]) == ("held", "no-method-left"), held
    sent = ended(house, "testina.sample@smimea.test", **asked)
    assert (sent["state"], sent["method"]) == ("sent", "smime"), sent
