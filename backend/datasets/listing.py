"""Data sets as their list asks for them again and again: JSON of rows that stayed the same.

What the row itself says is kept with its version (see `backend/fragments.py`); what depends on
other rows (the tasks that use it, an older data set of the same bytes) is asked every time, and so
is all of a data set on which work is under way.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.datasets import queries
from backend.datasets.queries import Listed
from backend.datasets.view import views_of
from backend.fragments import Fragments, closed, opened
from backend.jobs.subjects import NO_USES

BESIDE = {"used_by", "used_by_count", "same_as"}


async def texts_of(
    session: AsyncSession, fragments: Fragments, listed: Sequence[Listed]
) -> list[bytes]:
    """Each data set in JSON, in the order given; one that was just deleted is left out."""
    texts: dict[UUID, bytes] = {}
    known: dict[UUID, bytes] = {}
    for each in listed:
        text = None if each.is_moving else fragments.get(each.id, each)
        if text is not None:
            known[each.id] = text
    others = [each for each in listed if each.id not in known]
    if others:
        rows = await queries.find_many(session, [each.id for each in others])
        made = {dataset.id: dataset for dataset in await views_of(session, rows)}
        for each in others:
            if (dataset := made.get(each.id)) is not None:
                texts[each.id] = dataset.model_dump_json(by_alias=True).encode()
                fragments.keep(each.id, each, opened(dataset, BESIDE))
    texts |= await _completed(session, known)
    return [texts[each.id] for each in listed if each.id in texts]


async def _completed(session: AsyncSession, known: dict[UUID, bytes]) -> dict[UUID, bytes]:
    """With what is asked every time."""
    if not known:
        return {}
    ids = list(known)
    uses = await queries.newest_uses(session, ids)
    same = await queries.same_as(session, ids)
    texts = {}
    for id_, text in known.items():
        used, first = uses.get(id_, NO_USES), same.get(id_)
        texts[id_] = closed(
            text,
            used_by=used.json.encode(),
            used_by_count=b"%d" % used.total,
            same_as=b"null" if first is None else first.model_dump_json().encode(),
        )
    return texts
