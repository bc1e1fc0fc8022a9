"""What a user does with a platform, and what the machine shows of it, beside its lives."""

import json
import os
import time
from typing import Any

import httpx
import psutil

from backend.jobs.run_folder import RunFolder
from tests.drills.lives import DRILL_ENGINE, REAL_ENGINE, Lives, busy, wait_until
from tests.tiny_model import build_tiny_model
from training_engine.contract.names import EXIT_FILE

__all__ = ["DRILL_ENGINE", "ENDED", "PASSWORD", "REAL_ENGINE", "Platform", "busy", "wait_until"]

PASSWORD = "nine patient herons"
ENDED = {"COMPLETED", "FAILED", "STOPPED"}


class Platform(Lives):
    """One data folder and one database for several lives of the backend, and its first user."""

    def set_up(self) -> None:
        """First user, a tiny model, a small data set."""
        build_tiny_model(self.models / "tiny")
        token = (self.data_dir / "setup_token").read_text().strip()
        answer = self.http.post(
            "/auth/setup",
            json={"setup_token": token, "username": "ada", "password": PASSWORD},
        )
        assert answer.status_code == 201, answer.text
        self.sign_in()
        model = self.http.post("/models", json={"source": "local", "reference": "models/tiny"})
        assert model.status_code < 300, model.text
        data = self.upload("lamps")
        wait_until(
            lambda: self.http.get(f"/datasets/{data}").json()["status"] == "ready", "an import"
        )
        # It is examined then: a drill must not meet that job where it waits for its own.
        wait_until(self._examined, "an examination")
        self.body = {
            "model_id": model.json()["id"],
            "dataset_id": data,
            "accept_memory_risk": True,
            "hyperparameters": {"epochs": 1, "max_length": 256},
        }

    def _examined(self) -> bool:
        for spec in (self.data_dir / "runs").glob("*/*/spec.json"):
            if json.loads(spec.read_text())["kind"] == "examine_dataset":
                return (spec.parent / EXIT_FILE).exists()
        return False

    def sign_in(self) -> None:
        """A session that lives as long as the database."""
        body = {"username": "ada", "password": PASSWORD}
        answer = self.http.post("/auth/login", json=body)
        assert answer.status_code == 200, answer.text

    def upload(self, name: str, rows: int = 40) -> str:
        """A data set of short conversations; its id."""
        lines = [
            json.dumps(
                {
                    "messages": [
                        {"role": "user", "content": f"Do you sell {n} lamps of {name}?"},
                        {"role": "assistant", "content": "Yes, we do."},
                    ]
                }
            )
            for n in range(rows)
        ]
        files = {"file": (f"{name}.jsonl", "\n".join(lines).encode())}
        answer = self.http.post("/datasets", files=files, data={"name": name})
        assert answer.status_code < 300, answer.text
        found: str = answer.json()["id"]
        return found

    def new_task(self, **manner: Any) -> dict[str, Any]:
        """The body of a task of the drill engine that behaves so."""
        self.created += 1
        unique = f"run-{os.getpid()}-{self.created}-{time.monotonic_ns() % 10**9}"
        name = f"{unique} {json.dumps(manner)}"
        return {**self.body, "name": name, "output_name": unique}

    def create(self, key: str = "", **manner: Any) -> str:
        """Create a task; its id."""
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.http.post("/tasks", json=self.new_task(**manner), headers=headers)
        assert answer.status_code == 201, answer.text
        found: str = answer.json()["id"]
        return found

    def task(self, task_id: str) -> dict[str, Any]:
        """The task now."""
        answer = self.http.get(f"/tasks/{task_id}")
        if answer.status_code == 503:
            raise httpx.ConnectError(answer.text)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def until(self, task_id: str, *states: str, step: int = 0, timeout_s: float = 90.0) -> Any:
        """The task as soon as it is in one of `states` and that far."""
        seen: dict[str, Any] = {}

        def there() -> Any:
            seen.update(self.task(task_id))
            return seen if seen["status"] in states and seen["step"] >= step else None

        try:
            return wait_until(there, f"{task_id} in {states}", timeout_s)
        except AssertionError as late:
            raise AssertionError(f"{late}; it is {seen}\n{self.log.read_text()[-2000:]}") from late

    def act(self, task_id: str, action: str, **body: Any) -> httpx.Response:
        """stop, resume or restart it."""
        return self.http.post(f"/tasks/{task_id}/{action}", json=body or None)

    def log_texts(self, task_id: str, attempt: int = 1) -> list[str]:
        """Every line of the log of an attempt, by pages as the API gives them."""
        found: list[str] = []
        after = None
        while True:
            params = {"attempt": attempt, "limit": 1000, **({"after": after} if after else {})}
            page = self.http.get(f"/tasks/{task_id}/logs", params=params).json()
            found += [line["text"] for line in page["items"]]
            if not page["items"]:
                return found
            after = page["items"][-1]["id"]

    def moves(self, task_id: str) -> list[str]:
        """The states that the task went through."""
        events = self.http.get(f"/tasks/{task_id}/events").json()
        return [event["code"] for event in events if event["type"] == "transition"]

    # --- what the machine shows ---

    def folders(self, task_id: str) -> list[RunFolder]:
        """Run folders of a task, oldest attempt first."""
        found, wanted = [], self.task(task_id)["output_name"]
        for spec in (self.data_dir / "runs").glob("*/*/spec.json"):
            if json.loads(spec.read_text()).get("output_name") == wanted:
                found.append(RunFolder(spec.parent, int(spec.parent.name)))
        return sorted(found, key=lambda folder: folder.attempt)

    def host_and_engine(self, task_id: str) -> tuple[psutil.Process, psutil.Process]:
        """The processes of the newest attempt."""
        folder = self.folders(task_id)[-1]
        facts = wait_until(lambda: (folder.identity() or {}).get("child_pid"), "an identity")
        return psutil.Process((folder.identity() or {})["pid"]), psutil.Process(facts)
