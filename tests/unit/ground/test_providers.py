"""The master key kept by Vault, AWS KMS or a PKCS#11 token: moved there and back, rotated, refused, not reached."""

import base64
import datetime
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from carepost.cli.main import main
from carepost.ground import home as homes
from carepost.ground.errors import ConfigError
from carepost.ground.keys import MasterKeyring
from carepost.ground.providers import opening, pkcs11, signing
from carepost.ground.providers.settings import SECRET, Settings
from tests.support.keepers import Keeper, Kms, Vault

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN, TOKEN = "invented-pin-of-a-token", "carepost-test"


@pytest.fixture(scope="module")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A real token in software. The library reads its settings once in a process, so there is one a module."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    conf = folder / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(conf)
    command = ["softhsm2-util", "--init-token", "--free", "--label", TOKEN, "--pin", PIN, "--so-pin", "5678-invented"]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    yield
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


class Place:
    """A provider that can be used, and what its stand-in saw."""

    def __init__(self, settings: Settings, keeper: Keeper | None) -> None:
        self.settings = settings
        self.keeper = keeper


@pytest.fixture(params=["vault", "kms", "pkcs11"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    if request.param == "pkcs11":
        request.getfixturevalue("softhsm")
        monkeypatch.setenv(SECRET, PIN)
        settings = Settings("pkcs11", f"key-{tmp_path.name}", module=MODULE, token=TOKEN)
        made = pkcs11.provider(settings, os.environ)
        made.make_key()
        made.close()
        yield Place(settings, None)
        return
    keeper = Vault(tmp_path) if request.param == "vault" else Kms(tmp_path)
    with keeper.running():
        if isinstance(keeper, Vault):
            monkeypatch.setenv(SECRET, keeper.token)
            settings = Settings("vault", "carepost", url=keeper.url, ca=str(keeper.ca))
        else:
            monkeypatch.setenv(SECRET, f"{Kms.ACCESS}:{Kms.SECRET}")
            settings = Settings("kms", "carepost", url=keeper.url, ca=str(keeper.ca), region="eu-central-1")
        yield Place(settings, keeper)


@pytest.fixture
def keyring(tmp_path: Path) -> MasterKeyring:
    return MasterKeyring.create(tmp_path / "keyring.json").rotate()


def tokens(keyring: MasterKeyring) -> list[bytes]:
    """What the keys derive to: the same keys, the same bytes."""
    purposes = keyring.purposes()
    return [purposes.raw("content", b"x", version) for version in purposes.versions("content")]


def test_there_and_back_the_keys_are_the_same_and_the_file_holds_none(place: Place, keyring: MasterKeyring) -> None:
    before, clear = tokens(keyring), json.loads(keyring.path.read_bytes())["keys"]
    moved = keyring.move(place.settings)
    assert tokens(moved) == before and moved.provider == place.settings
    raw = keyring.path.read_text()
    assert not any(key in raw for key in clear.values()), "no master key stands in the file"
    assert not any(word in raw for word in os.environ[SECRET].split(":")), "nor a secret of the provider's"
    assert keyring.path.stat().st_mode & 0o077 == 0
    opened = MasterKeyring.open(keyring.path)
    assert tokens(opened) == before and opened.current == 2
    assert place.settings.key in opened.words()
    back = opened.move(None)
    assert tokens(back) == before and back.provider is None
    assert json.loads(back.path.read_bytes())["keys"] == clear


def test_a_rotation_asks_the_provider_for_the_new_key_and_keeps_the_old(place: Place, keyring: MasterKeyring) -> None:
    moved = keyring.move(place.settings)
    wrapped = moved.purposes().wrap("dkim", b"a private key", b"place")
    rotated = moved.rotate()
    assert rotated.current == 3 and tokens(rotated)[1:] == tokens(moved)
    assert MasterKeyring.open(keyring.path).purposes().unwrap("dkim", wrapped, b"place") == b"a private key"
    if isinstance(place.keeper, Kms):
        assert "GenerateDataKey" in place.keeper.asked


def test_a_wrapped_key_opens_in_no_other_place_of_the_file(place: Place, keyring: MasterKeyring) -> None:
    keyring.move(place.settings)
    file = json.loads(keyring.path.read_bytes())
    file["keys"]["1"], file["keys"]["2"] = file["keys"]["2"], file["keys"]["1"]
    keyring.path.write_text(json.dumps(file))
    with pytest.raises(ConfigError, match="another key, or the keyring was changed"):
        MasterKeyring.open(keyring.path)


def test_another_secret_is_refused_in_one_sentence(
    place: Place, keyring: MasterKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring.move(place.settings)
    monkeypatch.setenv(SECRET, "AKIDOTHER:another-invented-word")
    with pytest.raises(ConfigError) as refused:
        MasterKeyring.open(keyring.path)
    assert "another-invented-word" not in str(refused.value)
    monkeypatch.delenv(SECRET)
    with pytest.raises(ConfigError, match=f"{SECRET}_FILE"):
        MasterKeyring.open(keyring.path)


def test_the_secret_may_stand_in_a_file_that_others_cannot_read(
    place: Place, keyring: MasterKeyring, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keyring.move(place.settings)
    file = tmp_path / "secret"
    file.write_text(os.environ[SECRET] + "\n")
    file.chmod(0o600)
    monkeypatch.delenv(SECRET)
    monkeypatch.setenv(f"{SECRET}_FILE", str(file))
    assert tokens(MasterKeyring.open(keyring.path)) == tokens(keyring)
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        MasterKeyring.open(keyring.path)


def test_a_key_that_is_not_there_moves_nothing(place: Place, keyring: MasterKeyring) -> None:
    before = keyring.path.read_bytes()
    wrong = Settings(**{f: getattr(place.settings, f) for f in place.settings.__struct_fields__} | {"key": "nowhere"})
    with pytest.raises(ConfigError, match="nowhere"):
        keyring.move(wrong)
    assert keyring.path.read_bytes() == before


@pytest.mark.parametrize("make", [Vault, Kms], ids=["vault", "kms"])
def test_one_that_is_not_reached_or_not_proved_opens_nothing_and_what_runs_goes_on(
    make: Callable[[Path], Keeper], keyring: MasterKeyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = make(tmp_path)
    with keeper.running():
        monkeypatch.setenv(SECRET, keeper.token if isinstance(keeper, Vault) else f"{Kms.ACCESS}:{Kms.SECRET}")
        kind, more = ("vault", {}) if isinstance(keeper, Vault) else ("kms", {"region": "eu-central-1"})
        running = keyring.move(Settings(kind, "carepost", url=keeper.url, ca=str(keeper.ca), **more))
        unproved = Settings(kind, "carepost", url=keeper.url, **more)
        with pytest.raises(ConfigError, match="did not prove who it is"):
            opening.provider(unproved, os.environ).unwrap(b"vault:v1:eA==", {})
        keeper.sealed = True
        with pytest.raises(ConfigError, match=r"sealed|500"):
            MasterKeyring.open(keyring.path)
    with pytest.raises(ConfigError, match="cannot be reached"):
        MasterKeyring.open(keyring.path)
    purposes = running.purposes()
    assert purposes.unwrap("dkim", purposes.wrap("dkim", b"x", b"p"), b"p") == b"x", "nobody is asked any more"


def test_vault_by_approle_and_with_a_key_rotated_there(
    keyring: MasterKeyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Vault(tmp_path)
    monkeypatch.setenv(SECRET, vault.role)
    with vault.running():
        moved = keyring.move(Settings("vault", "carepost", url=vault.url, ca=str(vault.ca), auth="approle"))
        assert "/v1/auth/approle/login" in vault.asked
        vault.keys["carepost"].append(os.urandom(32))
        assert tokens(MasterKeyring.open(keyring.path)) == tokens(moved), "what the former version wrapped still opens"
        assert b"vault:v2:" in _decoded(MasterKeyring.open(keyring.path).rotate().path, "3")
        vault.keys["carepost"] = [os.urandom(32)]
        with pytest.raises(ConfigError, match="another key"):
            MasterKeyring.open(keyring.path)
        monkeypatch.setenv(SECRET, "role:other")
        with pytest.raises(ConfigError):
            MasterKeyring.open(keyring.path)


def _decoded(path: Path, version: str) -> bytes:
    return base64.b64decode(json.loads(path.read_bytes())["keys"][version])


def test_an_address_without_tls_is_for_this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, "x")
    with pytest.raises(ConfigError, match="https://"):
        opening.provider(Settings("vault", "k", url="http://vault.test:8200"), os.environ)
    assert opening.provider(Settings("vault", "k", url="http://127.0.0.1:8100"), os.environ).words()


def test_a_token_key_that_can_be_taken_out_is_refused(softhsm: None, monkeypatch: pytest.MonkeyPatch) -> None:
    library: Any = pytest.importorskip("pkcs11")
    monkeypatch.setenv(SECRET, PIN)
    settings = Settings("pkcs11", "loose", module=MODULE, token=TOKEN)
    session = library.lib(MODULE).get_token(token_label=TOKEN).open(rw=True, user_pin=PIN)
    what = library.Attribute
    session.generate_key(
        library.KeyType.AES, 256, label="loose", store=True, template={what.SENSITIVE: False, what.EXTRACTABLE: True}
    )
    session.close()
    token = opening.provider(settings, os.environ)
    with pytest.raises(ConfigError, match="can be taken out"):
        token.wrap(bytes(32), {})
    token.close()
    missing = opening.provider(Settings("pkcs11", "loose", module=MODULE, token="another"), os.environ)
    with pytest.raises(ConfigError, match="is not there"):
        missing.wrap(bytes(32), {})


def test_signature_version_4_as_its_makers_test_suite_says() -> None:
    """`post-vanilla` of the AWS Signature Version 4 test suite."""
    at = int(datetime.datetime(2015, 8, 30, 12, 36, tzinfo=datetime.UTC).timestamp()) * 1_000_000
    access = signing.Access("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    signed = signing.sign(
        "https://example.amazonaws.com/", {}, b"", access, region="us-east-1", service="service", at=at
    )
    assert signed["Authorization"].endswith(
        "SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
    )


def test_from_one_keeper_to_another_each_with_its_own_secret(
    softhsm: None, keyring: MasterKeyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a token to Vault and no way over a file that holds the keys in clear."""
    monkeypatch.setenv(SECRET, PIN)
    settings = Settings("pkcs11", f"from-{tmp_path.name}", module=MODULE, token=TOKEN)
    made = pkcs11.provider(settings, os.environ)
    with pytest.raises(ConfigError, match=r"holds no key .*--make-key"):
        keyring.move(settings)
    made.make_key()
    with pytest.raises(ConfigError, match="leave --make-key out"):
        made.make_key()
    made.close()
    moved = keyring.move(settings)
    before = tokens(moved)
    vault = Vault(tmp_path)
    file = tmp_path / "token"
    file.write_text(vault.token)
    file.chmod(0o600)
    given = {f"{SECRET}_FILE": str(file)}
    with vault.running():
        to = Settings("vault", "carepost", url=vault.url, ca=str(vault.ca))
        with pytest.raises(ConfigError):
            moved.move(to)
        assert MasterKeyring.open(keyring.path).provider == settings, "what the new keeper refused changed nothing"
        there = moved.move(to, given)
        assert (there.provider, tokens(there)) == (to, before)
        with pytest.raises(ConfigError):
            MasterKeyring.open(keyring.path)
        assert tokens(MasterKeyring.open(keyring.path, given)) == before


def test_the_command_moves_from_keeper_to_keeper(
    softhsm: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [one for one in os.environ if one.startswith("CAREPOST_")]:
        monkeypatch.delenv(name)
    made = homes.create(tmp_path / "home", shards=1, sandbox=True)
    monkeypatch.setenv("CAREPOST_KEYRING", str(tmp_path / "keyring.json"))
    MasterKeyring.create(tmp_path / "keyring.json")
    monkeypatch.setenv(SECRET, PIN)
    token = ["keyring", "move", "--home", str(made.path), "--to", "pkcs11", "--module", MODULE, "--token", TOKEN,
             "--key", f"command-{tmp_path.name}", "--make-key"]  # fmt: skip
    assert main(token) == 0
    vault = Vault(tmp_path)
    file = tmp_path / "token"
    file.write_text(vault.token)
    file.chmod(0o600)
    with vault.running():
        there = ["keyring", "move", "--home", str(made.path), "--to", "vault", "--key", "carepost", "--url", vault.url,
                 "--ca", str(vault.ca), "--new-secret-file", str(file)]  # fmt: skip
        capsys.readouterr()
        assert main(there) == 0
        said = capsys.readouterr().out
        assert "names the new keeper’s" in said and vault.token not in said
        monkeypatch.setenv(SECRET, vault.token)
        assert main(["keyring", "show", "--home", str(made.path)]) == 0
        assert "Vault" in capsys.readouterr().out
