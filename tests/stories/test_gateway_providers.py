"""Postfix plays Microsoft 365 (connector out, back with our client certificate) and Google (out by header, direct)."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from carepost.directory.gateways import LOOP_FIELD, RETURN, SECRET_FIELD, Login, Settings
from carepost.policy.types import Method, Rule
from tests.support import smime
from tests.support.certificates import Ca
from tests.support.delivering import SENDER, body, side
from tests.support.fronts import HOST, PROVIDER, Fronted, key_pem
from tests.support.keyed_clinic import Clinic, person
from tests.support.mailhost import MailHost
from tests.support.provider import Provider

pytestmark = pytest.mark.peers


async def test_microsoft_365_hands_over_and_gets_it_back_from_who_shows_the_tenants_certificate(
    ca: Ca, tmp_path: Path
) -> None:
    """Our client certificate is for servers alone, as public authorities make them now: Postfix takes it as it is."""
    ours = ca.leaf("carepost.willow.test")
    login = Login(certificate=ours.pem.decode(), key=key_pem(ours).decode())
    names = (f"*.{PROVIDER.partition('.')[2]}",)
    settings = Settings(shared_names=names, mode=RETURN, host="willow.mail.provider.test", vouched=True)
    async with Fronted({}, side("there.test"), ca, settings=settings, login=login) as world:
        provider = await asyncio.to_thread(
            lambda: Provider(
                tmp_path / "m365", gateway=world.ports["gateway"], host=HOST, ca=world.tls / "ca.pem",
                shared=ca.leaf(PROVIDER), own=ca.leaf("willow.mail.provider.test"),
                field=f"{SECRET_FIELD}: {world.secret}",
            )
        )  # fmt: skip
        try:
            world.finder._dial["willow.mail.provider.test"] = ("127.0.0.1", provider.port)
            await provider.send(SENDER, "jane.roe@there.test", body().replace(b"\r\n", b"\n"))
            said = await provider.logged("status=sent (250 2.0.0 Accepted as", "filter: header X-Carepost-Returned")
            assert "secret-came-back" not in said
            await provider.logged("status=sent (delivered to maildir)")
            (taken,) = provider.taken()
            assert b"The invented results." in taken and LOOP_FIELD.encode() in taken
            assert b'(Client CN "carepost.willow.test"' in taken
            assert world.secret.encode() not in taken
        finally:
            await asyncio.to_thread(provider.close)


async def test_a_copy_by_smime_goes_back_without_an_attestation_and_only_its_reader_opens_it(
    ca: Ca, tmp_path: Path
) -> None:
    """The tenant's system may do with it what it likes. Peers: Postfix as the provider, openssl as the reader."""
    ours, reader = ca.leaf("carepost.willow.test"), person("jane.roe@there.test")
    login = Login(certificate=ours.pem.decode(), key=key_pem(ours).decode())
    names = (f"*.{PROVIDER.partition('.')[2]}",)
    settings = Settings(shared_names=names, mode=RETURN, host="willow.mail.provider.test")
    there = MailHost(ca.leaf("mx.there.test").context())
    by_smime = Rule("by-smime", recipient="jane.roe@there.test", methods=(Method.SMIME,))
    async with Clinic(
        {"mx.there.test": there}, side("there.test"), ca, settings=settings, login=login, rules=(by_smime,)
    ) as world:
        world.knows("jane.roe@there.test", reader)
        provider = await asyncio.to_thread(
            lambda: Provider(
                tmp_path / "m365", gateway=world.ports["gateway"], host=HOST, ca=world.tls / "ca.pem",
                shared=ca.leaf(PROVIDER), own=ca.leaf("willow.mail.provider.test"),
                field=f"{SECRET_FIELD}: {world.secret}",
            )
        )  # fmt: skip
        try:
            world.finder._dial["willow.mail.provider.test"] = ("127.0.0.1", provider.port)
            await provider.send(SENDER, "jane.roe@there.test", body().replace(b"\r\n", b"\n"))
            await provider.logged("status=sent (delivered to maildir)", "filter: header X-Carepost-Returned")
            (taken,) = provider.taken()
            assert b"invented results" not in taken.lower() and world.secret.encode() not in taken
            assert b"smime-type" in taken and LOOP_FIELD.encode() in taken
            files = smime.Files(tmp_path, reader)
            opened = smime.openssl(
                "cms", "-decrypt", "-inform", "SMIME", "-recip", files.certificate, "-inkey", files.key, data=taken
            )
            assert b"The invented results." in opened and b"Subject: Invented results" in opened
            # one more, to somebody of whom no key is known: it rests on TLS, and nobody attested anything
            await provider.send(SENDER, "joe.roe@there.test", body().replace(b"\r\n", b"\n"))
            await there.wait(1)
            assert len(provider.taken()) == 1 and LOOP_FIELD.encode() not in there.messages[0][1]
        finally:
            await asyncio.to_thread(provider.close)


async def test_google_workspace_hands_over_and_it_goes_out_directly_but_not_without_the_header(
    ca: Ca, tmp_path: Path
) -> None:
    there = MailHost(ca.leaf("mx.there.test").context())
    settings = Settings(shared_networks=("127.0.0.0/8",))
    async with Fronted({"mx.there.test": there}, side("there.test"), ca, settings=settings) as world:
        for name, field in (("ours", f"{SECRET_FIELD}: {world.secret}"), ("another", "")):
            provider = await asyncio.to_thread(
                Provider, tmp_path / name, gateway=world.ports["gateway"], host=HOST, ca=world.tls / "ca.pem",
                shared=ca.leaf("mail-sor-f41.provider-mail.test"), own=ca.leaf("x.test"), field=field,
            )  # fmt: skip
            try:
                await provider.send(SENDER, "jane.roe@there.test", body().replace(b"\r\n", b"\n"))
                if field:
                    await provider.logged("status=sent (250 2.0.0 Accepted as")
                    await there.wait(1)
                else:
                    await provider.logged("status=bounced", "550 5.7.1", SECRET_FIELD)
            finally:
                await asyncio.to_thread(provider.close)
        assert len(there.messages) == 1
        digest = hashlib.sha256(world.secret.encode()).digest()
        assert digest == world.digest and world.secret.encode() not in there.messages[0][1]
