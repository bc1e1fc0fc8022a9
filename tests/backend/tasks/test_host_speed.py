"""The speed of this host is tried once, by the real engine, and kept."""

import json
from pathlib import Path

import pytest

from backend.tasks import host_speed
from backend.tasks.host_speed import FILE, HostSpeed, Speed


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests compute beside these."""
    monkeypatch.setattr(host_speed, "QUIET_SHARE", 1.1)
    monkeypatch.setattr(host_speed, "LOOK_S", 0.05)


@pytest.mark.long
async def test_tried_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = HostSpeed(tmp_path)
    assert first.known is None
    await first.find_out()
    assert first.known is not None
    assert first.known.device in {"cpu", "mps", "cuda"}
    assert first.known.flops > 1e8
    assert 1e-5 < first.known.layer_s < 1
    again = HostSpeed(tmp_path)
    monkeypatch.setattr("backend.tasks.host_speed.MODULE", "no.such.module")  # it is not asked
    await again.find_out()
    assert again.known == first.known


@pytest.mark.parametrize("content", ["", "{}", "no json", json.dumps({"computer": "another"})])
async def test_what_can_not_be_read_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    (tmp_path / FILE).write_text(content)
    monkeypatch.setattr("backend.tasks.host_speed.MODULE", "no.such.module")
    found = HostSpeed(tmp_path)
    await found.find_out()  # and an engine that does not work leaves it unknown
    assert found.known is None
    assert (tmp_path / FILE).read_text() == content


async def test_another_computer_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speed = {"device": "cpu", "dtype": "float32", "flops": 1.0, "layer_s": 1.0}
    kept = {"computer": "another, 64 cores, torch 1.0", "speed": speed}
    (tmp_path / FILE).write_text(json.dumps(kept))
    monkeypatch.setattr("backend.tasks.host_speed.MODULE", "no.such.module")
    found = HostSpeed(tmp_path)
    await found.find_out()
    assert found.known is None


async def test_what_was_tried_beside_other_work_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speed = Speed(device="cpu", dtype="bfloat16", flops=1e11, layer_s=1e-3)

    async def measure() -> Speed:
        return speed

    monkeypatch.setattr(host_speed, "QUIET_SHARE", -1.0)
    monkeypatch.setattr(host_speed, "PATIENCE_S", 0.1)
    monkeypatch.setattr(host_speed, "_measure", measure)
    found = HostSpeed(tmp_path)
    await found.find_out()
    assert found.known == speed
    assert not (tmp_path / FILE).exists()
