"""F59, F60: the wall clock jumps, or the server lives in an odd time zone; nobody dies of it."""

import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.drills.platform import Platform, wait_until
from tests.drills.test_backend_killed import once_and_whole

pytestmark = pytest.mark.long
HOUR_S = 3600


@pytest.fixture(scope="module")
def clock_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`clock.c`, compiled."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("needs a C compiler, to make a clock that can be set")
    library = tmp_path_factory.mktemp("clock") / "clock.so"
    source = Path(__file__).with_name("clock.c")
    argv = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
    subprocess.run(argv, check=True)
    return library


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S])
def test_the_clock_jumps(
    platform: Platform, tmp_path: Path, clock_library: Path, jump_s: int
) -> None:
    """Of the backend alone, in a run and while it is down; database and engine keep theirs."""
    clock = tmp_path / "offset"
    clock.write_text("0")
    wrapper = ("env", f"LD_PRELOAD={clock_library}", f"DRILL_CLOCK={clock}")
    platform.again(wrapper=wrapper)
    task = platform.create(steps=400, step_s=0.03)
    running = platform.until(task, "RUNNING", step=5)
    clock.write_text(str(jump_s))
    later = platform.until(task, "RUNNING", step=running["step"] + 20)
    assert later["attempt"] == 1
    assert later.get("stalled_since") is None
    assert later["eta_s"] is None or 0 <= later["eta_s"] < HOUR_S
    assert platform.http.get("/auth/me").status_code == 200, "the session lives"
    platform.kill()
    clock.write_text(str(2 * jump_s))
    platform.start(wrapper=wrapper)
    assert once_and_whole(platform, task, 400)["attempt"] == 1


def test_the_clock_that_jumps_is_real(clock_library: Path, tmp_path: Path) -> None:
    """The drill's own tool does what it says."""
    (tmp_path / "offset").write_text("3600")
    shown = subprocess.run(
        ["python3", "-c", "import time; print(time.time())"],
        env={
            "LD_PRELOAD": str(clock_library),
            "DRILL_CLOCK": str(tmp_path / "offset"),
            "PATH": "/usr/bin:/bin:/usr/local/bin",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(shown.stdout) - time.time() == pytest.approx(HOUR_S, abs=30)


def test_an_odd_time_zone(platform: Platform) -> None:
    """Everything that is told is UTC, and says so."""
    platform.again(TZ="Asia/Kathmandu")
    task = platform.create(steps=10)
    done = platform.until(task, "COMPLETED")
    line = platform.http.get(f"/tasks/{task}/logs").json()["items"][0]
    point = platform.http.get(f"/tasks/{task}/metrics").json()["series"]["loss"][0]
    told = [done["created_at"], done["started_at"], done["finished_at"], line["at"], point["at"]]
    for text in told:
        at = datetime.fromisoformat(text)
        assert at.utcoffset() == timedelta(0), text
        assert abs(datetime.now(UTC) - at) < timedelta(minutes=10), text
    wait_until(lambda: not platform.descendants(), "its end")
