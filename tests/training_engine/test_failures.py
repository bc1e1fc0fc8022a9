"""Every way to fail has a closed code, a sentence with the place, and a next step."""

import errno
from pathlib import Path

import pytest
import torch

from tests.training_engine.specs import conversation, greetings, make_spec, run_here, write_rows
from training_engine.checkpoints import file_sha256
from training_engine.contract.names import ExitCode, FailureCode
from training_engine.contract.spec import RunSpec
from training_engine.failures import explain


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "data.jsonl", greetings(12))


def failed(run_dir: Path, spec: RunSpec, code: str) -> str:
    outcome = run_here(run_dir, spec)
    assert outcome.code == ExitCode.FAILED
    assert (outcome.last.type, outcome.last.code) == ("failed", code)
    assert outcome.last.hint
    assert outcome.events[0].type == "started"
    return str(outcome.last.message)


def test_a_model_that_is_gone(tmp_path: Path, data: Path) -> None:
    spec = make_spec(data, tmp_path / "gone")
    assert "example/tiny" in failed(tmp_path / "run", spec, "model_not_found")


def test_a_model_without_safetensors(tmp_path: Path, data: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "pytorch_model.bin").write_text("pickles")
    assert "no safetensors" in failed(tmp_path / "run", make_spec(data, folder), "model_not_found")


def test_a_model_of_a_family_nobody_knows(tmp_path: Path, tiny_model: Path, data: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for file in tiny_model.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "config.json").write_text('{"model_type": "nobody_knows"}')
    assert "nobody_knows" in failed(tmp_path / "run", make_spec(data, folder), "model_not_found")


def test_a_data_set_that_is_gone(tmp_path: Path, tiny_model: Path) -> None:
    spec = make_spec(tmp_path / "gone.jsonl", tiny_model)
    assert "gone.jsonl" in failed(tmp_path / "run", spec, "bad_dataset")


def test_a_data_set_that_is_empty(tmp_path: Path, tiny_model: Path) -> None:
    spec = make_spec(write_rows(tmp_path / "data.jsonl", []), tiny_model)
    assert "no rows" in failed(tmp_path / "run", spec, "bad_dataset")


def test_a_data_set_that_is_broken(tmp_path: Path, tiny_model: Path, data: Path) -> None:
    with data.open("a") as file:
        file.write('{"messages": [{"role": "wizard", "content": "x"}]}\n')
    message = failed(tmp_path / "run", make_spec(data, tiny_model), "bad_dataset")
    assert "Record 13" in message
    assert "messages.0.role" in message


@pytest.mark.parametrize("which", ["dataset", "validation_dataset"])
def test_a_data_set_that_is_not_the_one_any_more(
    tmp_path: Path, tiny_model: Path, data: Path, which: str
) -> None:
    """Its file is compared with the spec, at the start and on every resume."""
    spec = make_spec(data, tiny_model, hyperparameters={"max_steps": 2, "save_steps": 1})
    own = write_rows(tmp_path / "own.jsonl", greetings(5))
    paths = {"dataset": data, "validation_dataset": own}
    known = {
        name: spec.dataset.model_copy(update={"path": str(path), "sha256": file_sha256(path)})
        for name, path in paths.items()
    }
    spec = spec.model_copy(update=known)
    assert run_here(tmp_path / "1", spec).code == ExitCode.FINISHED
    content = paths[which].read_text()
    paths[which].write_text(content.replace("Hello", "Good day", 1))
    again = {"resume_from": str(tmp_path / "1" / "checkpoints"), "attempt": 2}
    for at, changed in enumerate((spec, spec.model_copy(update=again)), 2):
        message = failed(tmp_path / str(at), changed, "bad_dataset")
        assert f"{paths[which].name} has changed since this run was created" in message


@pytest.mark.parametrize("sha256", ["", "0", "0" * 64])
def test_a_hash_that_nobody_knows(
    tmp_path: Path, tiny_model: Path, data: Path, sha256: str
) -> None:
    spec = make_spec(data, tiny_model, hyperparameters={"max_steps": 1})
    spec = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"sha256": sha256})})
    assert run_here(tmp_path / "run", spec).code == ExitCode.FINISHED


def test_a_data_set_without_answers(tmp_path: Path, tiny_model: Path) -> None:
    data = write_rows(tmp_path / "data.jsonl", [conversation("Hi", "Hello"), conversation("Hi")])
    assert "(line 12)" in failed(tmp_path / "run", make_spec(data, tiny_model), "bad_dataset")


def test_a_device_that_is_not_there(tmp_path: Path, tiny_model: Path, data: Path) -> None:
    if torch.backends.mps.is_available():
        pytest.skip("this machine has an Apple GPU")
    outcome = run_here(tmp_path / "run", make_spec(data, tiny_model, device="mps"))
    assert (outcome.code, outcome.last.code) == (ExitCode.SPEC_REFUSED, "bad_spec")
    assert "does not have" in outcome.last.message


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), FailureCode.HOST_OUT_OF_MEMORY),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9"),
            FailureCode.HOST_OUT_OF_MEMORY,
        ),
        (torch.OutOfMemoryError("CUDA out of memory. Tried"), FailureCode.OUT_OF_MEMORY),
        (
            RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(h)`"),
            FailureCode.OUT_OF_MEMORY,
        ),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), FailureCode.OUT_OF_MEMORY),
        (OSError(errno.ENOSPC, "No space left on device"), FailureCode.DISK_FULL),
        (RuntimeError("I/O error: No space left (os error 28)"), FailureCode.DISK_FULL),
        (ModuleNotFoundError("No module named 'bitsandbytes'"), FailureCode.DEPENDENCY),
        (ZeroDivisionError("division by zero"), FailureCode.INTERNAL),
        (AssertionError(), FailureCode.INTERNAL),
    ],
)
def test_exceptions_become_codes(error: Exception, code: FailureCode) -> None:
    failure = explain(error)
    assert failure.code == code
    assert failure.message.endswith((".", "9", "device", "28)", "'", "zero", "Error"))
    assert failure.hint.endswith(".")
    assert explain(failure) is failure
