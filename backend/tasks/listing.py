"""Tasks as lists and their pages ask for them again and again: JSON of rows that stayed the same.

What `view` makes of a task depends on the rows of the task, its job and its owner, and on the moves
of the job, each of which changes the job's row; so the versions of those rows tell whether the JSON
is still right. The place in the queue changes with other rows and is asked every time.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from backend.fragments import Fragments, closed, opened
from backend.jobs.queue import queue_positions
from backend.jobs.schemas import JobStatus
from backend.tasks import queries
from backend.tasks.queries import Listed
from backend.tasks.schemas import Queue
from backend.tasks.view import queue_of, view

BESIDE = "queue"


async def texts_of(
    session: AsyncSession, fragments: Fragments, listed: Sequence[Listed]
) -> list[bytes]:
    """Each task in JSON, in the order given; one that was deleted in this moment is left out."""
    texts = {each.id: fragments.get(each.id, each) for each in listed}
    missing = [each for each in listed if texts[each.id] is None]
    if missing:
        found = await queries.find_many(session, [each.id for each in missing])
        made = {each.row.id: opened(view(each, None), {BESIDE}) for each in found}
        for each in missing:
            if (text := made.get(each.id)) is not None:
                texts[each.id] = text
                fragments.keep(each.id, each, text)
    waiting = [each.job_id for each in listed if each.status == JobStatus.PENDING]
    places = await queue_positions(session, waiting)
    return [
        closed(text, **{BESIDE: _json(queue_of(places.get(each.job_id)))})
        for each in listed
        if (text := texts[each.id]) is not None
    ]


def _json(queue: Queue | None) -> bytes:
    return b"null" if queue is None else queue.model_dump_json().encode()
