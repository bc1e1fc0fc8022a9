"""`easytune worker` as a user runs it."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from backend.settings import PROJECT_ROOT
from tests.backend.runner.conftest import Bench, supervising

COMMAND = [sys.executable, "-m", "backend.cli", "worker"]


def environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EASYTUNE_")}
    return {**kept, **variables}


def test_without_a_platform_one_line_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        COMMAND,
        cwd=PROJECT_ROOT,
        env=environment(EASYTUNE_DATA_DIR=str(tmp_path)),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    [line] = done.stderr.decode().splitlines()
    assert "easytune up" in line


async def test_it_leads_until_told_to_end(bench: Bench) -> None:
    url = bench.settings.database_url
    assert url is not None
    given = {
        "EASYTUNE_DATABASE_URL": url.get_secret_value(),
        "EASYTUNE_DATA_DIR": str(bench.settings.data_dir),
    }
    with subprocess.Popen(
        COMMAND, cwd=PROJECT_ROOT, env=environment(**given), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, b"")
        assert await asyncio.to_thread(lambda: any(b"leading" in line for line in lines))
        async with supervising(bench) as second:
            await asyncio.sleep(0.5)
            assert not second.leading
            process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(process.wait, 30) == 0
            async with asyncio.timeout(30):
                while not second.leading:
                    await asyncio.sleep(0.05)
