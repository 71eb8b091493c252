"""What an operator copies: real programs read the files, and every figure and setting they name exists."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from carepost.ground import config
from carepost.processes import joining, roles

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
#: settings read elsewhere than in Config
APART = {"HOME", "KEYRING"}


def figures() -> set[str]:
    source = (ROOT / "src/carepost/processes/measures.py").read_text()
    return set(re.findall(r'"(carepost_[a-z_]+)"', source))


@pytest.mark.parametrize("name", ["prometheus/alerts.yml", "grafana/carepost.json"])
def test_every_figure_they_ask_for_is_given(name: str) -> None:
    asked = set(re.findall(r"\b(carepost_[a-z_]+)\b", (DEPLOY / name).read_text()))
    assert asked and asked <= figures()


def test_promtool_reads_the_rules() -> None:
    done = subprocess.run(
        ["promtool", "check", "rules", str(DEPLOY / "prometheus/alerts.yml")],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_is_one_and_its_panels_do_not_overlap() -> None:
    board = json.loads((DEPLOY / "grafana/carepost.json").read_text())
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells
        assert all(target["expr"] for target in panel["targets"])


def test_systemd_reads_the_units(tmp_path: Path) -> None:
    """With the program where the unit looks for it replaced by one that is there."""
    for unit in DEPLOY.glob("systemd/*.[st]*"):
        text = unit.read_text().replace("/opt/carepost/.venv/bin/carepost", "/bin/true")
        (tmp_path / unit.name).write_text(
            text.replace("User=carepost", "User=root").replace("Group=carepost", "Group=root")
        )
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if "carepost" in line]
    assert done.returncode == 0 and not said, done.stderr


def test_the_service_may_write_where_it_writes() -> None:
    """Each folder is made for its user by a unit: a ConfigurationDirectory is root's (systemd.exec), and a folder that
    is missing from ReadWritePaths' list ends the start before the program."""
    units = [one.read_text() for one in DEPLOY.glob("systemd/*.service")]
    made = {f"/var/lib/{name}" for text in units for name in re.findall(r"^StateDirectory=(\S+)$", text, re.M)}
    install = r"^ExecStartPre=\+/usr/bin/install -d -m 0700 -o carepost -g carepost (\S+)$"
    for text in units:
        here = made | set(re.findall(install, text, re.M))
        written = re.search(r"^ReadWritePaths=(.*)$", text, re.M)
        assert written and set(written[1].split()) <= here
        assert "ConfigurationDirectory=" not in text
        keyring = re.search(r"^Environment=CAREPOST_KEYRING=(\S+)/keyring.json$", text, re.M)
        assert keyring and (keyring[1] in here or "carepost backup" in text)


def test_the_settings_given_with_the_service_are_some(tmp_path: Path) -> None:
    lines = (DEPLOY / "systemd/carepost.env").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    settings = config.load(tmp_path, given)
    assert (settings.port_mx, settings.port_submission, settings.port_submission_tls) == (25, 587, 465)
    assert settings.http_tls and settings.hostname == "mail.example.org"


def test_every_setting_they_name_exists_and_every_port_is_ours() -> None:
    known = {name.upper() for name in config.SETTINGS} | {f"{name.upper()}_FILE" for name in config.SETTINGS} | APART
    ports = {
        getattr(config.Config(), name)
        for name in ("port_api", "port_console", "port_portal", "port_submission", "port_submission_tls", "port_mx")
    }
    for file in (one for one in DEPLOY.rglob("*") if one.is_file()):
        named = set(re.findall(r"\bCAREPOST_([A-Z_]*[A-Z])\b", file.read_text()))
        assert named <= known, file.name
    exposed = re.search(r"^EXPOSE (.*)$", (DEPLOY / "docker/Dockerfile").read_text(), re.M)
    assert exposed and {int(port) for port in exposed[1].split()} == ports | {9464}
    chart = (DEPLOY / "helm/carepost/templates/statefulset.yaml").read_text()
    assert {int(port) for port in re.findall(r"containerPort: (\d+)", chart)} == ports | {9464}


def test_an_address_as_the_chart_gives_it_is_one_of_a_node() -> None:
    """A pod's address stands in brackets, of whichever family it is."""
    chart = (DEPLOY / "helm/carepost/templates/statefulset.yaml").read_text()
    given = re.search(r'CAREPOST_NODE_ADDRESS, value: "([^"]+)"', chart)
    assert given
    for pod in ("10.0.0.5", "fd00::5"):
        settings = config.Config(node_address=given[1].replace("$(POD_IP)", pod))
        assert joining.address(settings, 1) == (pod, 7401)


def test_a_long_change_of_tables_is_not_killed_by_the_probe() -> None:
    chart = (DEPLOY / "helm/carepost/templates/statefulset.yaml").read_text()
    probe = re.search(r"startupProbe:.*?periodSeconds: (\d+).*?failureThreshold: (\d+)", chart, re.S)
    assert probe and int(probe[1]) * int(probe[2]) >= 1800


def test_who_serves_figures_holds_no_key() -> None:
    assert roles.ROLES["monitor"] == ()
