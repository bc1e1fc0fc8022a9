"""Host facts are plausible, bounded by containers, and quick."""

import os
import sys
from pathlib import Path

import httpx
import psutil
import pynvml
import pytest

from backend.accounts.schemas import Role
from backend.system import gpus, host
from backend.system.disk import DiskUse, size_of
from backend.system.gpus import GpuFacts
from backend.system.isolation import isolation
from tests.conftest import SignIn


async def test_system_and_overview(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/system")
    assert answer.status_code == 200, answer.text
    facts = answer.json()
    assert 1 <= facts["cpu"]["cores"] <= (os.cpu_count() or 1)
    assert 0 < facts["memory"]["used_bytes"] <= facts["memory"]["total_bytes"]
    assert facts["database"].startswith("PostgreSQL ")
    assert facts["training_slots"] >= 1
    assert facts["supervisor"] == "absent"
    overview = (await client.get("/api/v1/system/overview")).json()
    assert overview == {"datasets": 0, "models": 0, "tasks": {}}


async def test_folders_of_the_server_are_for_administrators(
    app: object, sign_in: SignIn, settings: object
) -> None:
    settings.model_roots = [Path("/srv/models")]  # type: ignore[attr-defined]
    admin = await sign_in("boss", Role.ADMINISTRATOR)
    bob = await sign_in("bob", Role.MEMBER)
    assert (await admin.get("/api/v1/system")).json()["model_roots"] == ["/srv/models"]
    assert (await bob.get("/api/v1/system")).json()["model_roots"] == ["models"]


def cgroup(monkeypatch: pytest.MonkeyPatch, root: Path, **files: str) -> None:
    for name, text in files.items():
        (root / name.replace("_", ".", 1)).write_text(text + "\n")
    monkeypatch.setattr(host, "CGROUP", root)
    monkeypatch.setattr(host, "_own_cgroup", lambda: root)


def test_a_containers_limit_is_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cgroup(
        monkeypatch,
        tmp_path,
        memory_max="1000000",
        memory_current="600000",
        memory_stat="anon 400000\ninactive_file 200000",
        cpu_max="150000 100000",
    )
    found = host.memory()
    assert (found.used_bytes, found.total_bytes) == (400_000, 1_000_000)
    assert host.cores() == min(2, len(os.sched_getaffinity(0)))


def test_no_limit_is_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cgroup(monkeypatch, tmp_path, memory_max="max", cpu_max="max 100000")
    assert host.memory().total_bytes == psutil.virtual_memory().total
    assert host.cores() == len(os.sched_getaffinity(0))


async def test_our_share_of_the_disk_is_counted_beside(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "weights").write_bytes(b"x" * 1_000_000)
    (tmp_path / "link").symlink_to("/usr")
    (tmp_path / "twin").hardlink_to(tmp_path / "models" / "weights")
    use = DiskUse(tmp_path)
    assert use.now().easytune_bytes is None
    await use.close()
    counted = use.now().easytune_bytes
    assert counted is not None
    assert 1_000_000 <= counted < 1_100_000
    assert counted == size_of(tmp_path)


def test_no_nvidia_driver_is_normal(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(code: int) -> None:
        def init() -> None:
            raise pynvml.NVMLError(code)

        monkeypatch.setattr(gpus.pynvml, "nvmlInit", init)

    fail(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)
    assert GpuFacts().now() == ([], None)
    fail(pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH)
    found, error = GpuFacts().now()
    assert found == []
    assert error is not None
    assert "nvidia-smi" in error


def test_isolation_says_what_is_true() -> None:
    found = isolation()
    assert found.uid == os.geteuid()
    assert ("not_root" in found.reached) == (os.geteuid() != 0)
    assert found.landlock_version >= 0
    assert {"no_core_dumps", "private_files"} <= set(found.reached)
    assert found.no_new_privs == ("no_new_privs" in found.reached) == (sys.platform == "linux")
