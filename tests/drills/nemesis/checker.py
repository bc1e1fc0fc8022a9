"""After a round: nothing lost, nothing doubled, one owner, everything at its end, nobody left."""

import itertools
import json
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

from backend.jobs.run_folder import RunFolder
from tests.drills.engine import DOUBLE_FILE, ENGINES_FILE, SAVE_EVERY
from tests.drills.nemesis.client import Client
from tests.drills.nemesis.ledger import Known, Ledger
from tests.drills.platform import ENDED, Platform

STEP = re.compile(r"step (\d+)/\d+")
DROPPED = "dropped: "
LEAVE_S = 45.0
# What may follow what, within the history of one task.
NEXT = {
    "": {"PENDING"},
    "PENDING": {"PREPARING", "STOPPED", "FAILED"},
    "PREPARING": {"RUNNING", "STOPPING", "PENDING", *ENDED},
    "RUNNING": {"STOPPING", *ENDED},
    "STOPPING": ENDED,
    "COMPLETED": {"PENDING"},
    "FAILED": {"PENDING"},
    "STOPPED": {"PENDING"},
}


def steps_of(folder: RunFolder) -> list[int]:
    """The steps that an attempt has told, without what a kill has torn."""
    content = folder.events_file.read_bytes() if folder.events_file.exists() else b""
    events = [json.loads(line) for line in content.splitlines(keepends=True) if line[-1:] == b"\n"]
    return [event["step"] for event in events if event["type"] == "metrics"]


class Checker:
    """Collects everything that is wrong, so that one look at it is enough."""

    def __init__(self, platform: Platform, client: Client, ledger: Ledger) -> None:
        self.platform, self.client, self.ledger = platform, client, ledger
        self.wrong: list[str] = list(ledger.wrong)

    def check(self) -> list[str]:
        """Sentences about what is wrong; none is what is hoped for."""
        self._nobody_left()
        for known in self.ledger.tasks:
            if known.id:
                self._task(known)
        self._created_once()
        self._uploads()
        return self.wrong

    def _expect(self, true: bool, what: str) -> None:
        if not true:
            self.wrong.append(what)

    def _get(self, path: str, **params: Any) -> Any:
        answer = self.client.ask("GET", path, params=params)
        return answer.json() if answer.status_code == 200 else None

    # --- one task ---

    def _task(self, known: Known) -> None:
        task = self._get(f"/tasks/{known.id}")
        if task is None:
            self.wrong.append(f"{known.id}: it was acknowledged and is gone")
            return
        say = f"{known.id} ({known.key})"
        self._expect(task["status"] in ENDED, f"{say}: it never ended: {task['status']}")
        if task["status"] == "FAILED":
            error = task["error"] or {}
            self._expect(bool(error.get("message") and error.get("hint")), f"{say}: no reason")
        newest = max([1, *known.begun])
        self._expect(task["attempt"] >= newest, f"{say}: attempt {newest} was acknowledged")
        if task["attempt"] in known.stopped:
            is_so = task["status"] in {"STOPPED", "COMPLETED"}
            self._expect(is_so, f"{say}: its stop was acknowledged, it is {task['status']}")
        self._history(say, task, known.id)
        folders = [
            folder
            for folder in self.platform.folders(known.id)
            if (folder.path / ENGINES_FILE).exists()
        ]
        for folder in folders:
            self._attempt(say, known, folder)
        if folders:
            double = folders[0].path.parent / DOUBLE_FILE
            self._expect(not double.exists(), f"{say}: two engines at once")
        self._curve(say, known, folders, task)
        for before, after in itertools.pairwise(folders):
            self._resumed(say, before, after)

    def _history(self, say: str, task: dict[str, Any], task_id: str) -> None:
        events = self._get(f"/tasks/{task_id}/events") or []
        moves = [event["code"] for event in events if event["type"] == "transition"]
        for before, after in zip(["", *moves], moves, strict=False):
            self._expect(after in NEXT[before], f"{say}: {after} after {before}: {moves}")
        self._expect(moves[-1:] == [task["status"]], f"{say}: {task['status']}, but {moves}")

    def _attempt(self, say: str, known: Known, folder: RunFolder) -> None:
        """The files of one attempt, and what was shown of them while it ran."""
        say = f"{say} attempt {folder.attempt}"
        engines = (folder.path / ENGINES_FILE).read_text().split()
        # None where the disk was so full that the engine could not even note that it was there.
        self._expect(len(engines) <= 1, f"{say}: engines {engines}")
        self._expect(not folder.is_locked(), f"{say}: its lock is still held")
        log: dict[str, str] = {}
        after = None
        while True:
            extra = {"after": after} if after else {}
            page = self._get(f"/tasks/{known.id}/logs", attempt=folder.attempt, limit=1000, **extra)
            if not page or not page["items"]:
                break
            for line in page["items"]:
                self._expect(line["id"] not in log, f"{say}: line {line['id']} comes twice")
                log[line["id"]] = line["text"]
            after = page["items"][-1]["id"]
        self._steps(say, list(log.values()))
        shown = [(i, text) for i, text in known.lines if i.startswith(f"{folder.attempt}-")]
        doubled = [i for i, count in Counter(i for i, _ in shown).items() if count > 1]
        self._expect(not doubled, f"{say}: the live log showed twice: {doubled[:3]}")
        wrong = [pair for pair in shown if log.get(pair[0]) != pair[1]]
        self._expect(not wrong, f"{say}: shown and not in the log: {wrong[:3]}")
        if known.lines and not known.gaps:
            left_out = [i for i in log if i not in dict(shown)]
            self._expect(not left_out, f"{say}: never shown live: {left_out[:3]} of {len(log)}")

    def _resumed(self, say: str, before: RunFolder, after: RunFolder) -> None:
        """What goes on does so behind a checkpoint, and computes no more than an interval again."""
        source = json.loads(after.spec_file.read_bytes()).get("resume_from")
        done, again = steps_of(before), steps_of(after)
        if not again:
            return
        say = f"{say}: attempt {after.attempt} begins at {again[0]} from {source}"
        step = int(Path(source).name.removeprefix("step-")) if source else 0
        self._expect(again[0] == step + 1, say)
        if source and done:
            self._expect(done[-1] - step <= SAVE_EVERY, f"{say}; the one before came to {done[-1]}")

    def _steps(self, say: str, texts: list[str]) -> None:
        """Every step once and in order; what a full disk took is told by the log itself."""
        steps = [int(match[1]) for text in texts if (match := STEP.match(text))]
        dropped = sum(int(text.split()[1]) for text in texts if text.startswith(DROPPED))
        if not steps:
            return
        missing = steps[-1] - steps[0] + 1 - len(steps)
        in_order = steps == sorted(set(steps))
        self._expect(in_order and 0 <= missing <= dropped, f"{say}: steps in its log: {steps}")

    def _curve(
        self, say: str, known: Known, folders: list[RunFolder], task: dict[str, Any]
    ) -> None:
        """The events of each attempt are whole; each point that was shown is there, once."""
        told: dict[tuple[str, int], Any] = {}
        for folder in folders:
            lines = (
                folder.events_file.read_bytes().splitlines() if folder.events_file.exists() else []
            )
            events = []
            for line in lines:
                try:
                    events.append(json.loads(line))
                except ValueError:  # torn by a kill: it never was a whole line
                    self._expect(line is lines[-1], f"{say}: a torn line in the midst of events")
            seqs = [event["seq"] for event in events]
            self._expect(seqs == list(range(len(seqs))), f"{say}: events {seqs}")
            for event in events:
                if event["type"] == "metrics":
                    told[str(folder.attempt), event["step"]] = event["values"]
        doubled = [p for p, n in Counter(p[:2] for p in known.points).items() if n > 1]
        self._expect(not doubled, f"{say}: the live curve showed twice: {doubled[:3]}")
        for attempt, step, values in known.points:
            if (attempt, step) not in told or told[attempt, step] != values:
                self.wrong.append(f"{say}: point {step} of {attempt} was shown and is gone")
                break
        series = (self._get(f"/tasks/{known.id}/metrics") or {}).get("series", {})
        steps = [point["step"] for point in series.get("loss", [])]
        self._expect(steps == sorted(set(steps)), f"{say}: curve {steps}")
        last = max((s for a, s in told if a == str(task["attempt"])), default=task["step"])
        self._expect(task["step"] == last, f"{say}: step {task['step']}, its events say {last}")

    # --- everything else ---

    def _created_once(self) -> None:
        """A key makes one task, however often it was sent."""
        found: list[str] = []
        cursor = None
        while True:
            page = self._get("/tasks", limit=100, **({"cursor": cursor} if cursor else {}))
            found += [task["name"] for task in page["items"]]
            cursor = page["next_cursor"]
            if not cursor:
                break
        counts = Counter(found)
        for known in self.ledger.tasks:
            count = counts[known.body["name"]]
            self._expect(count == 1 if known.id else count <= 1, f"{known.key}: {count} tasks")

    def _uploads(self) -> None:
        for id_, name in self.ledger.uploads.items():
            deadline = time.monotonic() + 60
            while (found := self._get(f"/datasets/{id_}")) and found["status"] == "importing":
                if time.monotonic() > deadline:
                    break
                time.sleep(0.1)
            if found is None:
                self.wrong.append(f"data set {name}: it was acknowledged and is gone")
                continue
            state = found["status"], found["num_rows"]
            whole = state in {("ready", 5)} or (found["status"] == "failed" and found["error"])
            self._expect(bool(whole), f"data set {name}: {state}")

    def _nobody_left(self) -> None:
        """No process of a run; no zombie among the backend's children."""
        deadline = time.monotonic() + LEAVE_S
        while (left := self._left()) and time.monotonic() < deadline:
            time.sleep(0.2)
        self._expect(not left, f"still there: {left}")

    def _left(self) -> list[str]:
        assert self.platform.process is not None
        found = [str(process) for process in self.platform.descendants()]
        for child in psutil.Process(self.platform.process.pid).children(recursive=True):
            try:
                if child.status() == psutil.STATUS_ZOMBIE:
                    found.append(str(child))
            except psutil.NoSuchProcess:
                continue
        return found
