"""What happens before the processes of a home start: certificates, tables, the sandbox's organisation."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

import msgspec

from carepost.ground.config import Config
from carepost.ground.errors import ConfigError
from carepost.ground.home import Home
from carepost.ground.keys import MasterKeyring
from carepost.processes import certificates
from carepost.processes.bootstrapped import Bootstrapped
from carepost.processes.roles import ROLES
from carepost.processes.supervisor import Stopped

#: seconds between looks whether it is to stop, and until it is told why a start takes long
_LOOK, _LONG = 0.2, 30.0

#: a sandbox home retries in seconds and asks the sandbox's own DNS; any of them can be set otherwise
SANDBOX: Mapping[str, str] = {
    "CAREPOST_RETRY_FIRST": "2",
    "CAREPOST_RETRY_LONGEST": "10",
    "CAREPOST_GIVE_UP": "120",
    "CAREPOST_MIN_FREE": "134217728",
    "CAREPOST_RESOLVERS_VALIDATE": "true",
}

CHECKLIST = """
Before this system carries mail, an administrator decides (nothing leaves meanwhile):
  1. the organisation      carepost org add SLUG --name "…" --notice-name "…" --phone "…" --auditor ADDRESS
                           --portal-url https://…
  2. its administrator     carepost staff add ADDRESS --name "…" --role administrator --org SLUG
                           (prints a one-time sign-in link; the console's page “First run” leads through 3 to 5)
  3. its sender domains    carepost domain add DOMAIN --org SLUG    (publish the DKIM records it prints)
  4. who may send          carepost credential add NAME --org SLUG (SMTP)
                           carepost key add NAME --scope send --org SLUG (REST)
  5. portal by mail alone  carepost rule portal-by-mail on --org SLUG --reason "…"
                           (left off, the portal asks for an agreed code or question)
  6. TLS certificates      put <host name>.pem and .key into the home's tls/ folder (it made its own CA for now)
  7. the keyring           keep a copy, apart from every backup of the home
  8. backups               carepost backup FILE every night, kept on another machine, apart from the keyring
  9. carepost doctor       until it has no complaint
"""


def environment(opened: Home, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables its processes get: a sandbox's own settings under what was set by hand."""
    return {**(SANDBOX if opened.sandbox else {}), **environ}


def resolver(settings: Config) -> dict[str, str]:
    """A sandbox asks its own DNS."""
    return {"CAREPOST_RESOLVERS": f"127.0.0.1:{settings.port_sandbox_dns}"}


def prepare(
    opened: Home, settings: Config, keyring: MasterKeyring, environ: Mapping[str, str], say: Callable[[str], None],
    stopping: Callable[[], bool] = lambda: False,
) -> Bootstrapped:  # fmt: skip
    """Certificates, migrations, and `demo` in a sandbox, however long a large home takes. Raises ConfigError with the
    bootstrap's own sentence, and Stopped soon after `stopping` says so."""
    if not settings.tls_folder and certificates.ensure_for(opened.tls, settings):
        say(
            f"TLS         made a CA of its own: {opened.tls / 'ca.pem'} (clients must trust it, or bring a certificate)"
        )
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "carepost.processes.bootstrap"],
        env={**environ, "CAREPOST_HOME": str(opened.path), "CAREPOST_KEYS_FD": str(reading)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=(reading,),
    )
    os.close(reading)
    try:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(keyring.purposes(*ROLES["bootstrap"]).dump())
        out, errors = _ended(process, say, stopping)
    finally:
        if process.poll() is None:
            # each migration is one transaction: what is cut off is begun anew at the next start
            process.terminate()
            process.communicate()
    if process.returncode != 0:
        raise ConfigError(_sentence(errors))
    return msgspec.json.decode(out.splitlines()[-1], type=Bootstrapped)


def _ended(
    process: subprocess.Popen[bytes], say: Callable[[str], None], stopping: Callable[[], bool]
) -> tuple[bytes, bytes]:
    began, told = time.monotonic(), False
    while True:
        said = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            said = process.communicate(timeout=_LOOK)
        # a Ctrl-C ends the bootstrap too: that it failed is then no news
        if stopping():
            raise Stopped
        if said is not None:
            return said
        if not told and time.monotonic() - began > _LONG:
            told = True
            say("tables      are being brought to this version; in a large home that takes a while")


def _sentence(errors: bytes) -> str:
    lines = errors.decode(errors="replace").splitlines()
    for line in reversed(lines):
        if line.startswith("carepost: "):
            return line.removeprefix("carepost: ")
    try:
        said = msgspec.json.decode(lines[-1])
        why = f"{said['error']} at {said['place']}"
    except (IndexError, KeyError, TypeError, msgspec.DecodeError):
        why = (lines or ["no reason given"])[-1]
    return f"The databases could not be prepared: {why}"
