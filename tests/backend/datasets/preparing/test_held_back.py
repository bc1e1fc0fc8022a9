"""A version whose steps dropped rows: what can be done with it, and what can not."""

import json

import httpx

from tests.backend.datasets.conftest import API, Import
from tests.backend.datasets.preparing.conftest import Prepare


async def test_one_that_is_held_back_can_be_accepted_or_made_again(
    upload: Import, prepare: Prepare, client: httpx.AsyncClient
) -> None:
    rows = [{"instruction": "Keep", "output": "A"}, {"instruction": "Gone", "output": "A"}] * 5
    dataset = await upload("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    change = {"kind": "replace", "in": "prompt", "find": "Gone", "with": ""}
    empty = {"kind": "map", "changes": [change]}
    made = await prepare(dataset["id"], [empty], name="Half")
    assert (made["status"], made["error"]["code"]) == ("blocked", "too_many_dropped_rows")
    path = f"{API}/{made['id']}"
    # There is no file that could be read in another way: the page does not offer it.
    refused = await client.patch(path, json={"mapping": None})
    assert (refused.status_code, refused.json()["code"]) == (409, "NoUpload")
    version = (await client.get(f"{path}/versions")).json()["items"][0]
    assert (version["status"], version["steps"][0]["kind"]) == ("blocked", "map")
    assert version["sources"][0]["dataset_id"] == dataset["id"]
    again = await client.post(
        f"{API}/{version['sources'][0]['dataset_id']}/prepare/preview", json={"steps": [empty]}
    )
    assert again.status_code == 200
    accepted = await client.patch(path, json={"max_dropped_rows": 5})
    assert (accepted.status_code, accepted.json()["status"]) == (200, "ready")
