"""Each example has a run file that fits its data."""

from pathlib import Path

import pytest

from backend.datasets import examples
from backend.models.starters import STARTERS
from backend.tasks import local_inputs, train_file

FOLDER = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize("example", examples.all_examples(), ids=lambda example: example.id)
def test_run_file_reads_and_its_data_fit(example: examples.Example, tmp_path: Path) -> None:
    asked = train_file.read(FOLDER / f"{example.id}.yaml")
    assert asked.model in STARTERS
    assert asked.dataset.path == FOLDER / example.filename
    # In the browser the same example is imported the same way.
    assert asked.dataset.mapping == example.mapping
    found = local_inputs.import_data(asked.dataset, tmp_path / "data", asked.objective)
    assert found.num_rows == example.num_rows
