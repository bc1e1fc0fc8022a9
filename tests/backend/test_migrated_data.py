"""What migrations do to rows that are there already."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from backend import schema
from backend.accounts.tables import UserRow
from backend.database import make_engine
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
    async with own.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '0007'"))
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
