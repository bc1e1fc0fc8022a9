"""What migrations do to rows that are there already."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from backend import schema
from backend.accounts.tables import UserRow
from backend.database import make_engine
from backend.datasets.tables import DatasetRow, DatasetUseRow, DatasetVersionRow
from backend.idempotency import IdempotencyKeyRow
from backend.ids import new_id
from backend.jobs.schemas import Slot
from backend.jobs.tables import JobRow
from backend.tasks.tables import DraftRow, TaskRow
from training_engine.contract.hyperparameters import Hyperparameters


@pytest.fixture
async def own(fresh_database: str) -> AsyncIterator[AsyncEngine]:
    """A database of this test alone."""
    engine = make_engine(fresh_database)
    yield engine
    await engine.dispose()


async def go_back(own: AsyncEngine, revision: str) -> None:
    """The schema as it was then."""

    def downgrade(connection: Connection) -> None:
        settings = schema.config()
        settings.attributes["connection"] = connection
        command.downgrade(settings, revision)

    async with own.begin() as connection:
        await connection.run_sync(downgrade)


def before_the_name(**knobs: Any) -> dict[str, Any]:
    """Hyper-parameters as they were stored when the ratio was called gamma."""
    stored = Hyperparameters(**knobs).model_dump(mode="json")
    return {**stored, "simpo_gamma": stored.pop("simpo_gamma_ratio")}


async def add_rows(session: AsyncSession) -> None:
    owner = UserRow(username="ada", role="member", password_hash="x")
    session.add(owner)
    await session.flush()
    stored = before_the_name(simpo_gamma_ratio=0.7, epochs=2)
    whole = {"name": "A task", "hyperparameters": stored}
    for spec in (whole, {"source": "an export"}):
        job = JobRow(kind="train", spec=spec, slot=Slot.LIGHT, subject_id=new_id())
        session.add(job)
        await session.flush()
        if "hyperparameters" in spec:
            session.add(
                TaskRow(
                    owner_id=owner.id, job_id=job.id, name="A task", description="", intent="chat",
                    objective="simpo", method="lora", device="auto", hyperparameters=stored,
                    output_name="result", model_id=new_id(), model_name="tiny",
                    dataset_id=new_id(), dataset_name="rows",
                )
            )  # fmt: skip
    session.add(DraftRow(owner_id=owner.id, values=whole, step=2))
    session.add(IdempotencyKeyRow(user_id=owner.id, key="a", fingerprint="f", answer=whole))
    session.add(IdempotencyKeyRow(user_id=owner.id, key="b", fingerprint="f", answer=None))


async def test_a_renamed_knob_is_renamed_wherever_it_is_stored(own: AsyncEngine) -> None:
    async with AsyncSession(own) as session, session.begin():
        await add_rows(session)
    await go_back(own, "0007")
    await schema.upgrade(own)
    now = Hyperparameters(simpo_gamma_ratio=0.7, epochs=2).model_dump(mode="json")
    async with AsyncSession(own) as session:
        assert (await session.scalars(select(TaskRow.hyperparameters))).all() == [now]
        specs = (await session.scalars(select(JobRow.spec).order_by(JobRow.id))).all()
        assert specs == [{"name": "A task", "hyperparameters": now}, {"source": "an export"}]
        drafts = (await session.scalars(select(DraftRow.values))).all()
        assert drafts == [{"name": "A task", "hyperparameters": now}]
        by_key = select(IdempotencyKeyRow.answer).order_by(IdempotencyKeyRow.key)
        assert (await session.scalars(by_key)).all() == [drafts[0], None]


async def test_every_usable_data_set_has_the_version_that_it_shows(own: AsyncEngine) -> None:
    await schema.upgrade(own)
    async with AsyncSession(own, expire_on_commit=False) as session, session.begin():
        owner = UserRow(username="ada", role="member", password_hash="x")
        session.add(owner)
        await session.flush()
        facts = {
            "owner_id": owner.id, "description": "", "filename": "a.jsonl", "size_bytes": 1,
            "upload_sha256": "0" * 64, "record_type": "conversational", "num_rows": 3,
            "sha256": "1" * 64, "format": "alpaca", "counts": {"kept": 3},
        }  # fmt: skip
        used = DatasetRow(name="used", version=3, status="ready", **facts)
        session.add_all([used, DatasetRow(name="broken", version=1, status="failed", **facts)])
        await session.flush()
        path = f"/data/datasets/{used.id}/v2/records.jsonl"
        spec = {"dataset": {"path": path}}
        job = JobRow(kind="train", spec=spec, slot=Slot.TRAINING, subject_id=new_id())
        session.add(job)
        await session.flush()
        edge = {"task_id": new_id(), "job_id": job.id, "task_name": "Tune"}
        session.add(DatasetUseRow(dataset_id=used.id, version=1, **edge))
    await go_back(own, "0008")
    await schema.upgrade(own)
    async with AsyncSession(own) as session:
        (version,) = (await session.scalars(select(DatasetVersionRow))).all()
        assert (version.dataset_id, version.version, version.made_by) == (used.id, 3, owner.id)
        assert (version.sha256, version.counts, version.splits) == ("1" * 64, {"kept": 3}, {})
        assert (await session.scalars(select(DatasetUseRow.version))).all() == [2]
