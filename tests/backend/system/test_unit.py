"""The systemd unit: understood by systemd, and of a kind that leaves runs alone."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from backend.settings import PROJECT_ROOT

UNIT = PROJECT_ROOT / "deploy/easytune.service"
PROGRAM = "/opt/easytune/.venv/bin/easytune"


def test_systemd_understands_it(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed here")
    # Whether the program is there depends on the machine, not on the file.
    text = UNIT.read_text()
    assert PROGRAM in text
    copy = tmp_path / UNIT.name
    copy.write_text(text.replace(PROGRAM, sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_runs_outlive_a_restart_of_it() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(UNIT)
    service = unit["Service"]
    assert service["KillMode"] == "process", "any other ends the whole control group"
    assert service["OOMPolicy"] == "continue"
    assert service["PrivateTmp"] == "no"
    hides_gpus = {"PrivateDevices", "DevicePolicy", "ProtectClock", "MemoryDenyWriteExecute"}
    assert not hides_gpus & set(service)
