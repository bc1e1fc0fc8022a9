"""What a receiver answers is kept as it can be, and never stands in the way of other messages."""

import json

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.notices import delivery, send_child
from backend.notices.dispatcher import Dispatcher
from backend.notices.kinds import DeliveryState
from backend.notices.tables import NoticeDeliveryRow, NoticeTargetRow
from backend.settings import Settings
from tests.backend.notices.conftest import AddTarget, Announce
from tests.backend.notices.receivers import HttpReceiver, listening


async def test_words_that_no_database_keeps(
    settings: Settings,
    receiver: HttpReceiver,
    dispatcher: Dispatcher,
    announce: Announce,
    add_target: AddTarget,
    session: AsyncSession,
) -> None:
    said = json.dumps({"error": "no\u0000pe \ud800 \u202e", "code": 40001}).encode()
    async with listening(HttpReceiver(statuses=[400], answer=said)) as strange:
        settings.private_targets.append(strange.place)
        await add_target(f"ntfy://{strange.place}/a-topic", name="strange")
        await add_target(receiver.url, name="good")
        await announce()
        assert await dispatcher.once() == 2
        assert strange.received
    rows = await session.execute(
        select(NoticeTargetRow.name, NoticeDeliveryRow.state, NoticeDeliveryRow.error).join(
            NoticeTargetRow, NoticeTargetRow.id == NoticeDeliveryRow.target_id
        )
    )
    found = {name: (state, error) for name, state, error in rows}
    assert found["good"] == (DeliveryState.SENT, None)
    state, error = found["strange"]
    assert (state, error["code"]) == (DeliveryState.WAITING, "not_accepted")
    assert "no pe" in error["params"]["reason"]
    assert error["params"]["reason"].isprintable()
    assert delivery.AT_ONCE >= 2, "both were taken at once"


@pytest.mark.parametrize("said", ["a\x00b", "a\ud800b", "a\u2028\r\nb", "a\x1b[31mb"])
def test_reasons_are_one_printable_line(said: str) -> None:
    plain = send_child._plain(said, {"url": "https://x.example/secret-path"})
    assert plain.isprintable()
    assert plain.startswith("a ")
