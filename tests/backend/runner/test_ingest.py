"""What the engine's events make of a job's row."""

from datetime import UTC, datetime
from pathlib import Path

from backend.jobs.event_file import PlacedEvent
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.runner import ingest
from training_engine.contract.events import Metrics

AT = datetime(2026, 1, 1, tzinfo=UTC)


def _measured(*values: tuple[int, float | None]) -> list[PlacedEvent]:
    return [
        PlacedEvent(n, n + 1, Metrics(v=1, seq=n, at=AT, step=step, values={"eval_loss": value}))
        for n, (step, value) in enumerate(values)
    ]


def test_the_lowest_loss_on_held_out_rows_is_kept(tmp_path: Path) -> None:
    job = JobRow(status=JobStatus.RUNNING, metrics={})
    folder = RunFolder.of(tmp_path, tmp_path.name, 1)
    for events in (
        _measured((10, None), (20, 1.5), (30, 1.2), (40, 1.4)),
        _measured((50, None), (60, 1.3)),
        _measured((70, 1.2)),
    ):
        ingest.write(job, ingest.digest(events, folder), 0)
        assert job.best_metric == {"name": "eval_loss", "value": 1.2, "step": 30}
    assert job.metrics == {"eval_loss": 1.2}
    ingest.write(job, ingest.digest(_measured((80, 0.9)), folder), 0)
    assert job.best_metric == {"name": "eval_loss", "value": 0.9, "step": 80}
