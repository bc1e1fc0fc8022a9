"""The data set guide tells the truth: each of its samples is imported as what it is said to be."""

import re
from pathlib import Path

import pytest

from backend.datasets.importing.run import import_file
from backend.settings import PROJECT_ROOT

GUIDE = (PROJECT_ROOT / "docs" / "datasets.md").read_text()
SUFFIX = {"json": "jsonl", "csv": "csv", "txt": "txt"}


def samples() -> list[tuple[str, str, str, str]]:
    """Heading, record type, suffix and content of each sample."""
    found = []
    for section in re.split(r"^### ", GUIDE, flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        title, _, kind = heading.partition(" → ")
        text = text.partition("\n## ")[0]
        for language, content in re.findall(
            r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE
        ):
            found.append((title, kind.strip("`"), SUFFIX[language], content))
    return found


@pytest.mark.parametrize(
    ("title", "kind", "suffix", "content"), samples(), ids=[each[0] for each in samples()]
)
def test_a_sample_is_imported_as_its_heading_says(
    title: str, kind: str, suffix: str, content: str, tmp_path: Path
) -> None:
    path = tmp_path / "upload"
    path.write_text(content)
    folder = tmp_path / "version"
    folder.mkdir()
    summary = import_file(path, f"sample.{suffix}", folder)
    assert (summary["status"], summary["error"]) == ("ready", None)
    assert summary["record_type"] == kind
    counts = summary["counts"]
    assert counts["kept"] == summary["num_rows"] > 0
    assert counts["repaired"] == counts["dropped"] == 0


def test_every_type_of_record_has_a_sample() -> None:
    kinds = {kind for _, kind, _, _ in samples()}
    assert len(samples()) >= 16
    assert kinds == {
        *("preference", "unpaired_preference", "stepwise_supervision", "conversational"),
        *("prompt_completion", "classification", "language_modeling"),
    }
