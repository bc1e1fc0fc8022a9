"""Local models: only folders below the configured roots, whatever the reference says."""

import json
import os
import shutil
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from backend.database import SessionFactory, transaction
from backend.models import files, queries
from backend.models.files import BadReference
from backend.models.folder import UnusableFolder, read_facts, require_usable
from backend.settings import Settings
from tests.backend.models.conftest import API


@pytest.fixture
def root(settings: Settings, tiny: Path, tmp_path: Path) -> Path:
    """A root with a good model two levels down, and a secret beside the root."""
    root = tmp_path / "shelf"
    shutil.copytree(tiny, root / "llamas" / "tiny")
    shutil.copytree(tiny, tmp_path / "outside")
    settings.model_roots = [root]
    return root


async def test_listing_then_adding_then_deleting_leaves_the_folder(
    client: httpx.AsyncClient, root: Path, settings: Settings, sessions: SessionFactory
) -> None:
    listed = (await client.get(f"{API}/local-folders")).json()
    assert listed["roots"] == ["shelf"]
    (item,) = listed["items"]
    assert (item["reference"], item["name"], item["usable"]) == ("shelf/llamas/tiny", "tiny", True)
    added = await client.post(API, json={"source": "local", "reference": item["reference"]})
    assert added.status_code == 202, added.text
    model = added.json()
    assert (model["status"], model["name"], model["has_chat_template"]) == ("ready", "tiny", True)
    assert model["num_parameters"] > 90_000
    again = await client.post(API, json={"source": "local", "reference": item["reference"]})
    assert again.json()["id"] == model["id"]
    async with transaction(sessions) as session:
        row = await queries.find(session, model["id"])
    assert files.model_dir(settings, row) == root / "llamas/tiny"
    assert (await client.delete(f"{API}/{model['id']}")).status_code == 204
    assert (root / "llamas/tiny/model.safetensors").is_file()


LEADS_OUTSIDE = [
    "",
    "shelf",
    "shelf/llamas",
    "shelf/nothing",
    "other/llamas/tiny",
    "shelf/../outside",
    "shelf/llamas/../../outside",
    "/etc",
    "shelf//etc",
    "shelf/%2e%2e/outside",
    "shelf\\llamas\\tiny",
    "\\\\host\\share",
    "shelf/llamas/tiny\0",
    "~/outside",
    "file:///etc",
    "shelf/link-out",
    "shelf/linked-weights",
]


async def test_whatever_leads_outside_is_refused(
    client: httpx.AsyncClient, root: Path, tmp_path: Path, tiny: Path
) -> None:
    (root / "link-out").symlink_to(tmp_path / "outside")
    shutil.copytree(tiny, root / "linked-weights")
    (root / "linked-weights/model.safetensors").unlink()
    (root / "linked-weights/model.safetensors").symlink_to(tmp_path / "outside/model.safetensors")
    for reference in LEADS_OUTSIDE:
        answer = await client.post(API, json={"source": "local", "reference": reference})
        # With a NUL it does not get as far as the folders.
        expected = (422, "InvalidRequest") if "\0" in reference else (400, "BadReference")
        assert (answer.status_code, answer.json()["code"]) == expected, reference
        assert str(tmp_path) not in answer.text


@hypothesis_settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(["shelf", "..", ".", "", "outside", "llamas", "tiny", "\\", "%2e%2e", "~"]),
        max_size=7,
    )
)
def test_no_reference_leaves_its_root(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str]
) -> None:
    base = tmp_path_factory.getbasetemp() / "roots"
    (base / "shelf/llamas").mkdir(parents=True, exist_ok=True)
    (base / "outside").mkdir(exist_ok=True)
    for place in ("outside", "shelf/llamas"):
        (base / place / "config.json").write_text("{}")
    given_settings = Settings(_env_file=None, data_dir=base / "data", model_roots=[base / "shelf"])
    # Nothing here is a whole model: the check for the root must come before any look inside.
    with pytest.raises(BadReference) as refused:
        files.local_folder(given_settings, "/".join(parts))
    if "safetensors" in refused.value.params["reason"]:  # type: ignore[operator]
        found = (base / "/".join(parts)).resolve()
        assert found.is_relative_to(base / "shelf")


async def test_no_roots_means_no_folders(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{API}/local-folders")).json() == {"roots": [], "items": []}


def test_roots_with_the_same_name_are_told_apart(settings: Settings, tmp_path: Path) -> None:
    settings.model_roots = [tmp_path / "a/models", tmp_path / "b/models"]
    assert files.roots(settings) == {
        "models": tmp_path / "a/models",
        "models-2": tmp_path / "b/models",
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("rm config.json", "no_config"),
        ("rm model.safetensors", "no_safetensors"),
        ("rm tokenizer.json", "no_tokenizer"),
        ("auto_map", "needs_code"),
        ("index", "incomplete"),
        ("adapter", "adapter"),
        ("broken config", "damaged"),
    ],
)
def test_unusable_folders_have_a_reason(
    root: Path, settings: Settings, change: str, reason: str
) -> None:
    folder = root / "llamas/tiny"
    if change.startswith("rm "):
        (folder / change[3:]).unlink()
    elif change == "auto_map":
        config = json.loads((folder / "tokenizer_config.json").read_text())
        config["deep"] = [{"auto_map": {"AutoTokenizer": "x.Y"}}]
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    elif change == "index":
        index = {"weight_map": {"a": "model-00001-of-00002.safetensors"}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    elif change == "adapter":
        (folder / "config.json").rename(folder / "adapter_config.json")
    else:
        (folder / "config.json").write_text("{")
    with pytest.raises(UnusableFolder) as unusable:
        require_usable(folder, root)
    assert unusable.value.reason == reason
    if reason != "no_config":  # without one it does not look like a model at all
        (item,) = files.list_local(settings).items
        assert (item.usable, item.reason) == (False, reason)


def test_weights_that_are_cut_off_are_found_without_reading_them(root: Path) -> None:
    folder = root / "llamas/tiny"
    size = (folder / "model.safetensors").stat().st_size
    os.truncate(folder / "model.safetensors", size - 1)
    with pytest.raises(UnusableFolder) as unusable:
        read_facts(folder)
    assert unusable.value.reason == "incomplete"


def test_licence_from_the_card(root: Path) -> None:
    folder = root / "llamas/tiny"
    (folder / "README.md").write_text("---\nlicense: mit\ntags: [a]\n---\n# Tiny\n")
    assert read_facts(folder).licence == "mit"
    (folder / "README.md").write_text("---\nlicense: [oops\n---\n")
    assert read_facts(folder).licence is None
