"""That runs survive a restart is claimed only where processes and control groups show it."""

import os
import stat
from pathlib import Path

import pytest

from backend.system import survival
from backend.system.survival import survives_restart


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host as files: no container, a shell's child, in no service; `systemctl` is not there."""
    for name in ("1", "self"):
        (tmp_path / name).mkdir()
    (tmp_path / "1/cmdline").write_text("/sbin/init\0")
    (tmp_path / "self/cmdline").write_text("easytune\0up\0")
    (tmp_path / "self/cgroup").write_text("0::/user.slice/user-1000.slice/session-3.scope\n")
    monkeypatch.setattr(survival, "PROC", tmp_path)
    monkeypatch.setattr(survival, "MARKS", (tmp_path / "mark",))
    for name in ("container", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getpid", lambda: 4711)
    monkeypatch.setattr(os, "getppid", lambda: 4700)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def service(host: Path, mode: str | None, name: str = "easytune.service") -> None:
    """We run in this service; `systemctl` says its KillMode."""
    (host / "self/cgroup").write_text(f"0::/system.slice/{name}\n")
    if mode is not None:
        program = host / "bin/systemctl"
        program.parent.mkdir(exist_ok=True)
        said = f'#!/bin/sh\n[ "$4" = {name} ] && echo {mode}\n'
        program.write_text(said)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_a_shell(host: Path) -> None:
    assert survives_restart() == (True, None)


def test_process_1(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)
    survives, hint = survives_restart()
    assert survives is False
    assert hint is not None
    assert "easytune worker" in hint


def test_the_child_of_our_own_process_1(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A namespace without any mark of a container."""
    monkeypatch.setattr(os, "getppid", lambda: 1)
    assert survives_restart() == (True, None), "a child of the host's init"
    (host / "1/cmdline").write_text("easytune\0up\0")
    assert survives_restart()[0] is False


@pytest.mark.parametrize("parent", [0, 1])
def test_a_container_with_an_init(host: Path, monkeypatch: pytest.MonkeyPatch, parent: int) -> None:
    monkeypatch.setattr(os, "getppid", lambda: parent)
    (host / "mark").touch()
    assert survives_restart()[0] is False
    (host / "mark").unlink()
    monkeypatch.setenv("container", "podman")
    assert survives_restart()[0] is False


@pytest.mark.parametrize(
    ("mode", "survives"), [("process", True), ("control-group", False), ("mixed", False)]
)
def test_a_service(host: Path, mode: str, survives: bool) -> None:
    service(host, mode)
    found, hint = survives_restart()
    assert found is survives
    assert (hint is None) == survives
    assert hint is None or ("KillMode=process" in hint and f"KillMode={mode}" in hint)


def test_a_service_that_can_not_be_asked_about(host: Path) -> None:
    service(host, None)
    survives, hint = survives_restart()
    assert survives is None
    assert hint is not None
    assert "systemctl show" in hint


def test_the_unit_that_is_shipped() -> None:
    unit = (survival.Path(__file__).parents[3] / "deploy/easytune.service").read_text()
    lines = {line for line in unit.splitlines() if line and not line.startswith("#")}
    assert {"KillMode=process", "OOMPolicy=continue", "PrivateTmp=no"} <= lines
    # Each of these hides the GPU or ends running engines.
    for harm in ("PrivateDevices=yes", "ProtectClock=yes", "DevicePolicy=", "PrivateTmp=yes"):
        assert not any(line.startswith(harm) for line in lines)
