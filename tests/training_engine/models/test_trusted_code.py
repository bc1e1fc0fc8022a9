"""Models that bring their own program: refused, unless exactly that program is trusted."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tiny_model import build_tiny_model
from tests.training_engine.export.test_export import export_here
from tests.training_engine.objectives.opened import opened
from tests.training_engine.specs import greetings, make_spec, run_here, write_rows
from training_engine.contract.choices import Head
from training_engine.contract.exports import ExportFormat, ExportSpec
from training_engine.contract.model_folder import UnfitFolder, check_model, code_sha256, runs_code
from training_engine.data.packing import pack
from training_engine.devices import Placement
from training_engine.failures import EngineFailure
from training_engine.models import load

CPU = Placement(torch.device("cpu"), torch.float32, "a test")
CONFIGURATION = """
from transformers import LlamaConfig


class TwiceConfig(LlamaConfig):
    model_type = "twice_llama"
"""
MODELING = """
from transformers import LlamaForCausalLM

from .configuration_twice import TwiceConfig


class TwiceForCausalLM(LlamaForCausalLM):
    config_class = TwiceConfig

    def forward(self, *args, **kwargs):
        out = super().forward(*args, **kwargs)
        out.logits = 2 * out.logits
        return out
"""


@pytest.fixture
def own_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model folder with a class of its own, which doubles its scores."""
    from transformers import dynamic_module_utils

    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    for name in [n for n in sys.modules if n.partition(".")[0] == "transformers_modules"]:
        monkeypatch.delitem(sys.modules, name)  # it knows the folder of another test
    monkeypatch.setattr(sys, "path", sys.path.copy())
    folder = build_tiny_model(tmp_path / "twice")
    (folder / "configuration_twice.py").write_text(CONFIGURATION)
    (folder / "modeling_twice.py").write_text(MODELING)
    config = json.loads((folder / "config.json").read_text())
    config["model_type"] = "twice_llama"
    config["architectures"] = ["TwiceForCausalLM"]
    config["auto_map"] = {
        "AutoConfig": "configuration_twice.TwiceConfig",
        "AutoModelForCausalLM": "modeling_twice.TwiceForCausalLM",
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def scores(model: Any) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model.eval()(input_ids=torch.arange(3, 30)[None]).logits
    return found


def test_with_consent_its_own_class_computes(own_code: Path, tiny_model: Path) -> None:
    assert runs_code(own_code)
    model = load.load_stock(
        own_code, CPU, Head.CAUSAL_LM, "sdpa", trusted_code_sha256=code_sha256(own_code)
    )
    assert type(model).__name__ == "TwiceForCausalLM"
    stock = load.load_stock(tiny_model, CPU, Head.CAUSAL_LM, "sdpa")
    torch.testing.assert_close(scores(model), 2 * scores(stock))


def test_without_consent_nothing_runs(own_code: Path, tmp_path: Path) -> None:
    mark = tmp_path / "it ran"
    for path in own_code.glob("*.py"):
        path.write_text(f"open({str(mark)!r}, 'w').close()\n" + path.read_text())
    with pytest.raises(EngineFailure, match="wants to run Python code that it brings") as refused:
        load.load_stock(own_code, CPU, Head.CAUSAL_LM, "sdpa")
    assert "administrator" in refused.value.hint
    assert not mark.exists()


@pytest.mark.parametrize("change", ["content", "name", "new file", "below"])
def test_consent_is_for_these_very_files(own_code: Path, change: str) -> None:
    trusted = code_sha256(own_code)
    path = own_code / "modeling_twice.py"
    if change == "content":
        path.write_text(path.read_text() + "\n")
    elif change == "name":
        path.rename(own_code / "modeling_other.py")
    elif change == "new file":
        (own_code / "extra.py").write_text("")
    else:
        (own_code / "inner").mkdir()
        (own_code / "inner" / "extra.py").write_text("")
    assert code_sha256(own_code) != trusted
    with pytest.raises(EngineFailure, match="not the code that an administrator has allowed"):
        load.load_stock(own_code, CPU, Head.CAUSAL_LM, "sdpa", trusted_code_sha256=trusted)


def test_code_from_elsewhere_is_refused_with_and_without_consent(own_code: Path) -> None:
    path = own_code / "config.json"
    config = json.loads(path.read_text())
    config["auto_map"]["AutoConfig"] = "somebody/else--configuration_twice.TwiceConfig"
    path.write_text(json.dumps(config))
    for trusted in (None, code_sha256(own_code)):
        with pytest.raises(UnfitFolder, match="from somewhere else"):
            check_model(own_code, trusted)


def test_contents_do_not_flow_into_each_other(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, (first, second) in ((one, ("ab", "c")), (other, ("a", "bc"))):
        folder.mkdir()
        (folder / "a.py").write_text(first)
        (folder / "b.py").write_text(second)
    assert code_sha256(one) != code_sha256(other)
    assert code_sha256(tmp_path / "nowhere") is None


def test_what_its_program_does_after_the_head_is_in_the_loss(
    tmp_path: Path, own_code: Path
) -> None:
    data = write_rows(tmp_path / "data.jsonl", greetings(12))
    spec = make_spec(data, own_code, hyperparameters={"evaluation_fraction": 0})
    trusted = spec.model.model_copy(update={"trusted_code_sha256": code_sha256(own_code)})
    run = opened(tmp_path / "run", spec.model_copy(update={"model": trusted}))
    row = pack(run.data.train, [0, 1])
    with torch.no_grad():
        loss = run.criterion.forward.cross_entropy(row)
        out = run.model(
            input_ids=row.input_ids, position_ids=row.position_ids, sample_lengths=row.lengths
        )
    wanted = torch.nn.functional.cross_entropy(
        out.logits[0, row.predicting].float(), row.targets, reduction="sum"
    )
    torch.testing.assert_close(loss, wanted)


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("consent", [True, False])
def test_a_run_needs_the_consent_in_its_spec(
    tmp_path: Path, own_code: Path, method: str, consent: bool
) -> None:
    data = write_rows(tmp_path / "data.jsonl", greetings(12))
    knobs = {"max_steps": 2, "evaluation_fraction": 0}
    spec = make_spec(data, own_code, method=method, hyperparameters=knobs)
    if consent:
        trusted = spec.model.model_copy(update={"trusted_code_sha256": code_sha256(own_code)})
        spec = spec.model_copy(update={"model": trusted})
    outcome = run_here(tmp_path / "run", spec)
    if consent:
        assert outcome.last.type == "finished", outcome.last
    else:
        assert (outcome.last.type, outcome.last.code) == ("failed", "model_not_found")
        assert "Python code" in outcome.last.message


@pytest.mark.parametrize("method", ["lora", "full"])
def test_its_result_is_exported_with_its_program(
    tmp_path: Path, own_code: Path, method: str
) -> None:
    """The result runs the same program, under the same consent."""
    trusted = code_sha256(own_code)
    data = write_rows(tmp_path / "data.jsonl", greetings(12))
    knobs = {"max_steps": 2, "evaluation_fraction": 0}
    spec = make_spec(data, own_code, method=method, hyperparameters=knobs)
    base = spec.model.model_copy(update={"trusted_code_sha256": trusted})
    outcome = run_here(tmp_path / "run", spec.model_copy(update={"model": base}))
    assert outcome.last.type == "finished", outcome.last
    wanted = ExportSpec(
        run_id="e",
        name="tiny",
        source=str(tmp_path / "run" / "output"),
        base=base,
        format=ExportFormat.MERGED,
    )
    ended = export_here(tmp_path / "export", wanted)
    assert ended.type == "finished", ended
    assert code_sha256(tmp_path / "export" / "output") == trusted
