"""Versions stay open, but never longer than the file that they are."""

from pathlib import Path

import httpx

from backend.database import SessionFactory
from backend.datasets.reading.opened import MAX_OPEN, Versions
from backend.settings import Settings
from tests.backend.datasets.conftest import API, Import, run_import
from tests.backend.datasets.preparing.made import talk, version


def test_a_number_that_is_given_again_shows_the_new_rows(tmp_path: Path) -> None:
    versions = Versions()
    folder = version(tmp_path, [talk("as it was", "before")])
    assert "as it was" in versions.of(folder).rows([0])[0]["record"]
    folder.rename(tmp_path / "gone")
    version(tmp_path, [talk("as it is", "now"), talk("one more", "row")]).rename(folder)
    assert versions.of(folder).num_rows == 2
    assert "as it is" in versions.of(folder).rows([0])[0]["record"]
    assert versions.of(folder).search("as it was").tolist() == []


def test_the_last_few_stay_open(tmp_path: Path) -> None:
    versions = Versions()
    folders = [version(tmp_path, [talk(str(n), "yes")]) for n in range(MAX_OPEN + 1)]
    first = versions.of(folders[0])
    for folder in folders[1:-1]:
        versions.of(folder)
    assert versions.of(folders[0]) is first
    versions.of(folders[-1])
    second = versions.of(folders[1])  # was not asked for the longest time
    assert versions.of(folders[0]) is first
    assert versions.of(folders[1]) is second


async def test_after_the_mapping_the_records_are_shown(
    upload: Import, client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    dataset = await upload("a.csv", "frage,antwort\nWer?,Ich.\n")
    url = f"{API}/{dataset['id']}"
    before = (await client.get(f"{url}/rows")).json()["items"]
    assert before[0]["record"] == {"frage": "Wer?", "antwort": "Ich."}
    columns = {"prompt": "frage", "completion": "antwort"}
    mapping = {"record_type": "prompt_completion", "columns": columns}
    assert (await client.patch(url, json={"mapping": mapping})).status_code == 200
    await run_import(settings, sessions, dataset["id"])
    after = (await client.get(f"{url}/rows", params={"q": "wer"})).json()["items"]
    assert after[0]["record"]["messages"][0] == {"role": "user", "content": "Wer?"}
