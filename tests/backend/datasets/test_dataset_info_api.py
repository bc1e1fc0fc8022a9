"""Files with LLaMA-Factory's `dataset_info.json`: one data set for each entry that is there."""

import io
import json
import zipfile
from typing import Any
from uuid import UUID

import httpx
import pytest

from backend.database import SessionFactory
from backend.datasets import files
from backend.settings import Settings
from tests.backend.datasets.conftest import API, run_import

INFO = {
    "alpaca_demo": {"file_name": "alpaca.json", "num_samples": 2},
    "pairs": {
        "file_name": "dpo.jsonl",
        "ranking": True,
        "columns": {"prompt": "question", "chosen": "good", "rejected": "bad"},
        "sort_by": "length",
    },
    "gone": {"file_name": "gone.json"},
    "far": {"hf_hub_url": "owner/far"},
}
ALPACA = [{"instruction": f"Ask {n}", "input": "", "output": f"Say {n}"} for n in range(5)]
PAIRS = "".join(
    json.dumps({"question": f"Which {n}?", "good": f"This {n}", "bad": f"That {n}"}) + "\n"
    for n in range(4)
)
FILES = {
    "dataset_info.json": json.dumps(INFO).encode(),
    "alpaca.json": json.dumps(ALPACA).encode(),
    "dpo.jsonl": PAIRS.encode(),
}


def zipped() -> dict[str, bytes]:
    """The same files in a folder of an archive."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in FILES.items():
            archive.writestr(f"data/{name}", data)
    return {"data.zip": content.getvalue()}


@pytest.mark.parametrize("packed", [False, True], ids=["files", "zip"])
async def test_each_entry_becomes_a_data_set(
    client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory, packed: bool
) -> None:
    parts = [("file", item) for item in (zipped() if packed else FILES).items()]
    answer = await client.post(API, files=parts)
    assert answer.status_code == 202, answer.text
    await run_import(settings, sessions, answer.json()["id"])
    first = (await client.get(f"{API}/{answer.json()['id']}")).json()
    assert (first["status"], first["entry"], first["num_rows"]) == ("ready", "alpaca_demo", 5)
    assert first["name"] == "alpaca_demo"
    entries: dict[str, Any] = {each["name"]: each for each in first["entries"]}
    assert list(entries) == list(INFO)
    assert entries["alpaca_demo"]["dataset_id"] == first["id"]
    assert "sample" in entries["alpaca_demo"]["warnings"][0]
    assert "sort_by" in entries["pairs"]["warnings"][0]
    assert "gone.json" in entries["gone"]["refusal"]
    assert "owner/far" in entries["far"]["refusal"]
    assert entries["gone"]["dataset_id"] is entries["far"]["dataset_id"] is None

    second_id = entries["pairs"]["dataset_id"]
    await run_import(settings, sessions, second_id)
    second = (await client.get(f"{API}/{second_id}")).json()
    assert (second["status"], second["name"], second["entry"]) == ("ready", "pairs", "pairs")
    assert (second["record_type"], second["num_rows"]) == ("preference", 4)
    assert (second["entries"], second["same_as"]) == ([], None)
    rows = (await client.get(f"{API}/{second_id}/rows")).json()["items"]
    assert rows[1]["record"]["chosen"][0]["content"] == "This 1"

    # One copy on the disk; each data set can go without the other.
    stored = [files.dataset_dir(settings, UUID(each)) for each in (first["id"], second_id)]
    name = "upload" if packed else "uploads/1"
    assert (stored[0] / name).samefile(stored[1] / name)
    assert (await client.delete(f"{API}/{first['id']}")).status_code == 204
    answer = await client.patch(f"{API}/{second_id}", json={"mapping": None, "options": None})
    assert answer.status_code == 200, answer.text
    await run_import(settings, sessions, second_id)
    again = (await client.get(f"{API}/{second_id}")).json()
    assert (again["status"], again["record_type"], again["version"]) == ("ready", "preference", 2)


async def test_only_entries_without_data_make_no_data_set(
    client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    info = json.dumps({"far": INFO["far"], "gone": INFO["gone"]}).encode()
    parts = [("file", ("dataset_info.json", info)), ("file", ("alpaca.json", FILES["alpaca.json"]))]
    answer = await client.post(API, files=parts)
    await run_import(settings, sessions, answer.json()["id"])
    found = (await client.get(f"{API}/{answer.json()['id']}")).json()
    assert (found["status"], found["error"]["code"]) == ("failed", "no_usable_entry")
    assert "gone.json" in found["error"]["message"]
    assert "owner/far" in found["error"]["message"]
