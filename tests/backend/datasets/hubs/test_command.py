"""`easytune datasets add --from HUB owner/name` on the database itself."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from backend.database import make_engine, make_sessions, transaction
from backend.datasets import files
from backend.datasets.tables import DatasetRow
from backend.settings import Settings
from tests.backend.datasets.hubs.conftest import rows
from tests.backend.datasets.test_commands import invoke, own
from tests.fakes.data_hub import DataHub

__all__ = ["own"]
NAME = "some/talks"


@pytest.fixture
def near(own: Settings) -> Iterator[DataHub]:
    with DataHub() as server:
        own.hf_endpoint = own.ms_endpoint = server.url
        yield server


@pytest.mark.parametrize("hub", ["huggingface", "modelscope"])
async def test_add_from_a_hub(own: Settings, near: DataHub, hub: str) -> None:
    near.add_data(NAME, {"train.jsonl": rows(4), "test.jsonl": rows(2)})
    code, output = await invoke("add", "--from", hub, NAME)
    assert code == 1
    assert not list(own.datasets_dir.glob("*-*"))
    code, output = await invoke("add", "--from", hub, NAME, "--split", "test", "--name", "Held")
    assert code == 0, output
    assert "Held: ready" in output
    assert "2 rows kept" in output
    engine = make_engine(own.database_url.get_secret_value())  # type: ignore[union-attr]
    async with transaction(make_sessions(engine)) as session:
        row = (await session.scalars(select(DatasetRow))).one()
    await engine.dispose()
    assert row.source is not None
    assert row.source["commit"] == near.data[NAME].head
    assert files.upload_file(own, row.id).read_bytes() == rows(2)
    assert files.records_file(own, row.id, 1).is_file()


async def test_second_try_uses_what_arrived(own: Settings, near: DataHub) -> None:
    repository = near.add_data(NAME, {"train.jsonl": rows(3000)}, cut_after=[50_000] + [0] * 20)
    assert (await invoke("add", "--from", "huggingface", NAME))[0] == 1
    repository.cut_after = []
    before = len(near.requests)
    code, output = await invoke("add", "--from", "huggingface", NAME)
    assert code == 0, output
    ranges = [asked for path, asked in near.requests[before:] if path.startswith("/large/")]
    assert [asked is not None for asked in ranges] == [True]


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "no-such-file.jsonl"),
        ("add", NAME, "--split", "train"),
        ("add", "--from", "huggingface", "../x"),
        ("add", "--from", "huggingface", NAME, "--revision", "../x"),
        ("add", "--from", "github", NAME),
    ],
)
async def test_what_can_not_be(own: Settings, near: DataHub, arguments: tuple[str, ...]) -> None:
    code, _ = await invoke(*arguments)
    assert code != 0
    assert near.requests == []
