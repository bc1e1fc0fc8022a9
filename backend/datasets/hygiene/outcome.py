"""The end of an examination; called in the transaction that ends its job.

What was found is in the version's folder already; here the versions that wait get their turn.
"""

import shutil
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from backend.datasets.hygiene import service
from backend.datasets.tables import DatasetRow
from backend.jobs.tables import JobRow


async def apply(session: AsyncSession, job: JobRow) -> None:
    """Remove what a killed examination left, and queue the next one."""
    folder = Path(job.spec["folder"])
    for left in folder.glob(f".examining-{job.id}-*"):
        shutil.rmtree(left, ignore_errors=True)
    # Not locked: an import that ends holds the data set and waits for the job that we hold.
    row = await session.get(DatasetRow, job.subject_id)
    if row is not None and job.spec["then"]:
        await service.queue(session, row, folder.parent, job.spec["then"])
