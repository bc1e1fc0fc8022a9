"""What a GPU run computes with is chosen by capability, tried, told, and taken back when wrong."""

import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._dynamo.testing import CompileCounterWithBackend
from transformers.models.llama import modeling_llama

from tests.training_engine.models.fast.test_equality import gradients, make, states
from training_engine.contract.choices import Compilation
from training_engine.models import attention, fused, gpu
from training_engine.models.forward import Decoder, EncoderDecoder, Forward, Scorer
from training_engine.models.lora import LoraLinear, enable

SHORT, LONG = 10.0, 3600.0
# torch.compile imports what warns of itself, and looks at gradients that are not kept.
compiles = pytest.mark.filterwarnings("ignore")


class Liger:
    """Stands in for the package: what it was asked for, and norms of its own."""

    def __init__(self, scale: float = 1.0) -> None:
        self.asked: dict[str, Any] = {}
        self.scale = scale

    def apply(self, *, model: Any, **asked: Any) -> None:
        """As `_apply_liger_kernel_to_instance` goes about it, classes and rotation included."""
        self.asked = asked
        scale = self.scale

        class LigerRMSNorm(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                wide = x.float()
                norm = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + 1e-6)
                return self.weight * norm.to(x.dtype) * scale  # type: ignore[operator]

        def feed_forward(mlp: Any, x: Tensor) -> Tensor:
            out: Tensor = mlp.down_proj(nn.functional.silu(mlp.gate_proj(x)) * mlp.up_proj(x))
            return out

        vars(modeling_llama).update(
            LlamaRMSNorm=LigerRMSNorm, apply_rotary_pos_emb=lambda *_: pytest.fail("not for CPUs")
        )
        for layer in model.model.layers:
            bind(layer.input_layernorm, LigerRMSNorm.forward)
            if asked["swiglu"]:
                bind(layer.mlp, feed_forward)


def bind(module: nn.Module, method: Callable[..., Tensor]) -> None:
    module.__dict__["forward"] = method.__get__(module, type(module))


@pytest.fixture
def liger(monkeypatch: pytest.MonkeyPatch) -> Liger:
    found = Liger()
    package = ModuleType("liger_kernel.transformers")
    vars(package)["_apply_liger_kernel_to_instance"] = found.apply
    monkeypatch.setitem(sys.modules, "liger_kernel", ModuleType("liger_kernel"))
    monkeypatch.setitem(sys.modules, "liger_kernel.transformers", package)
    for name in ("LlamaRMSNorm", "apply_rotary_pos_emb"):  # whatever comes of the test
        monkeypatch.setattr(modeling_llama, name, getattr(modeling_llama, name))
    return found


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Iterator[CompileCounterWithBackend]:
    """The compiler counts what it compiles, and compiles nothing."""
    torch.compiler.reset()
    counting = CompileCounterWithBackend("eager")
    stock = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", lambda s, **how: stock(s, backend=counting, **how))
    with torch._dynamo.config.patch(fail_on_recompile_limit_hit=True):
        yield counting


def choose(model: Any, wish: Compilation, *, seconds: float) -> gpu.Chosen:
    """As for a decoder whose rows are packed."""
    return gpu.choose(Decoder(model, packed=True), wish, seconds=seconds)


def unpacked(kind: str) -> Forward:
    """A classifier or a translator of a family that no test compares, and all of it learns."""
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        T5Config,
        T5ForConditionalGeneration,
    )

    torch.manual_seed(0)
    sizes = {"vocab_size": 99, "pad_token_id": 0, "eos_token_id": 2}
    if kind == "bert":
        narrow = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
        config = BertConfig(intermediate_size=64, num_labels=3, **narrow, **sizes)
        return Scorer(BertForSequenceClassification(config), packed=False)
    shape = {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2}
    return EncoderDecoder(
        T5ForConditionalGeneration(T5Config(decoder_start_token_id=0, **shape, **sizes)),
        packed=False,
    )


def bound(model: Any) -> set[str]:
    return {name for name, part in model.named_modules() if "forward" in vars(part)}


def test_liger_takes_norms_activations_and_rotations_of_this_model_only(liger: Liger) -> None:
    rotation, norm = modeling_llama.apply_rotary_pos_emb, modeling_llama.LlamaRMSNorm
    model = make("llama")
    wanted, expected = gradients(make("llama"))
    chosen = choose(model, Compilation.AUTO, seconds=LONG)
    assert chosen.problem is None
    assert chosen.lines[-1] == "norms, activations and rotations: Liger"
    assert liger.asked == {
        "rope": True,
        "rms_norm": True,
        "swiglu": True,
        "cross_entropy": False,
        "fused_linear_cross_entropy": False,
    }
    layers = [f"model.layers.{i}.{part}" for i in range(3) for part in ("input_layernorm", "mlp")]
    assert bound(model) == set(layers)
    assert isinstance(model.model.layers[0].mlp.up_proj, LoraLinear)
    # Other models of the family keep their own classes, and rotate on a processor as before.
    assert modeling_llama.LlamaRMSNorm is norm
    assert modeling_llama.apply_rotary_pos_emb is not rotation
    got, actual = gradients(model)
    torch.testing.assert_close(got, wanted)
    for name, gradient in expected.items():
        torch.testing.assert_close(actual[name], gradient)


def test_kernels_that_give_other_numbers_are_taken_off_again(liger: Liger) -> None:
    liger.scale = 1.2
    rotation = modeling_llama.apply_rotary_pos_emb
    model = make("llama")
    chosen = choose(model, Compilation.OFF, seconds=LONG)
    assert chosen.lines[-1] == "layers: stock (it gave other numbers; compile is off)"
    assert not bound(model)
    assert modeling_llama.apply_rotary_pos_emb is rotation


def test_gated_activations_of_another_kind_are_left_alone(liger: Liger) -> None:
    choose(make("llama", hidden_act="gelu"), Compilation.AUTO, seconds=SHORT)
    assert liger.asked["swiglu"] is False


@pytest.mark.long
@pytest.mark.parametrize(
    ("wish", "seconds", "compiled"),
    [
        (Compilation.AUTO, LONG, True),
        (Compilation.AUTO, SHORT, False),
        (Compilation.OFF, LONG, False),
        (Compilation.ON, SHORT, True),
    ],
)
@compiles
@pytest.mark.usefixtures("counter")
def test_long_runs_are_compiled_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, wish: Compilation, seconds: float, compiled: bool
) -> None:
    monkeypatch.setitem(sys.modules, "liger_kernel", None)
    monkeypatch.setattr(fused, "by_flex", lambda *_: None)
    model = make("qwen3")
    chosen = choose(model, wish, seconds=seconds)
    parts = {n for n, p in model.named_modules() if p._compiled_call_impl is not None}
    assert bool(parts) is compiled
    if compiled:
        assert {"model.norm", "model.layers.2.mlp", "model.layers.0.self_attn.q_norm"} <= parts
        assert "model.layers.0.self_attn" not in parts
        assert chosen.lines[-1] == "norms and feed-forward layers: compiled"
    else:
        why = "compile is off" if wish is Compilation.OFF else "the run is too short to compile"
        assert why in chosen.lines[-1]
        assert "liger_kernel" in chosen.lines[-1]


@pytest.mark.long
@compiles
def test_rows_of_other_lengths_and_numbers_of_samples_are_not_compiled_again(
    counter: CompileCounterWithBackend,
) -> None:
    model = make("qwen3")
    wanted, expected = gradients(make("qwen3"), (9, 30))
    assert choose(model, Compilation.ON, seconds=SHORT).problem is None
    got, actual = gradients(model, (9, 30))
    torch.testing.assert_close(got, wanted)
    for name, gradient in expected.items():
        torch.testing.assert_close(actual[name], gradient)
    before = counter.frame_count
    for lengths in ((20,), (7, 8, 9), (11, 12, 13, 14), (3,) * 9):
        gradients(model, lengths)
    assert counter.frame_count == before
    # Evaluation and the model without its adapters are compiled too, once each.
    for adapted in (True, False):
        enable(model, adapted)
        with torch.no_grad():
            states(model.eval(), (20, 9))
    before = counter.frame_count
    with torch.no_grad():
        states(model, (5, 6, 7))
    assert counter.frame_count == before


@pytest.mark.long
@compiles
def test_compiled_for_a_processor_it_computes_the_same() -> None:
    """The whole way through the compiler; what it makes for GPUs is tried by every run itself."""
    torch.compiler.reset()
    model = make("qwen3")
    wanted, expected = gradients(make("qwen3"))
    assert choose(model, Compilation.ON, seconds=SHORT).problem is None
    got, actual = gradients(model)
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-4)
    for name, gradient in expected.items():
        torch.testing.assert_close(actual[name], gradient, rtol=1e-4, atol=1e-4)


def test_a_compiler_that_fails_leaves_the_stock_layers_and_a_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("Failed to find C compiler.\nSet CC.")

    monkeypatch.setattr(nn.Module, "compile", fails)
    model = make("llama")
    chosen = choose(model, Compilation.ON, seconds=SHORT)
    assert chosen.problem == "Failed to find C compiler."
    assert chosen.lines[-1] == "layers: stock (Failed to find C compiler.)"


def test_no_memory_is_no_reason_to_compute_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(nn.Module, "compile", fails)
    with pytest.raises(torch.OutOfMemoryError):
        choose(make("llama"), Compilation.ON, seconds=SHORT)


@pytest.mark.parametrize("works", [True, False])
def test_flex_attention_is_marked_when_it_was_tried(
    monkeypatch: pytest.MonkeyPatch, works: bool
) -> None:
    asked = []

    def attend(query: Tensor, key: Tensor, value: Tensor, *how: Any) -> Tensor:
        asked.append(how)
        plain: Tensor = attention.packed_attention(
            nn.Module(), query, key, value, None, scaling=how[1], sample_lengths=how[0]
        )[0]
        return plain if works else plain * 2

    monkeypatch.setattr("training_engine.models.flex.attend", attend)
    monkeypatch.setattr(fused, "by_compiler", lambda *_: None)
    monkeypatch.setitem(sys.modules, "liger_kernel", None)
    model = make("llama")
    chosen = choose(model, Compilation.AUTO, seconds=LONG)
    assert asked[:3] == [(gpu.TRIED, 0.25, None)] * 3
    marks = [getattr(layer.self_attn, attention.BY_FLEX, False) for layer in model.model.layers]
    assert marks == [works] * 3
    line = "attention: FlexAttention" if works else "attention: stock (it gave other numbers)"
    assert chosen.lines[0] == line


def test_families_that_no_test_compares_keep_their_layers(liger: Liger) -> None:
    model = make("llama")
    model.config.model_type = "unheard_of"
    chosen = choose(model, Compilation.AUTO, seconds=LONG)
    assert chosen.lines == ("layers of unheard_of: stock, no others are known",)
    assert not liger.asked


def test_an_hour_and_a_minute_are_told_apart() -> None:
    """8 billion weights: a million tokens are over ten minutes, a tenth of them is not."""
    assert gpu.expected_seconds(1e6, 8 * 10**9, torch.bfloat16) >= gpu.PAYS_S
    assert gpu.expected_seconds(1e5, 8 * 10**9, torch.bfloat16) < gpu.PAYS_S


STACKS = {"bert": {"bert"}, "t5": {"encoder", "decoder"}}


@pytest.mark.long  # the decoder families, which are most used, are compiled in every run
@pytest.mark.parametrize("kind", sorted(STACKS))
@compiles
@pytest.mark.usefixtures("counter")
def test_other_families_are_compiled_as_they_are(kind: str) -> None:
    """Both stacks of an encoder–decoder, and only when that is asked for."""
    forward = unpacked(kind)
    assert not gpu.choose(forward, Compilation.AUTO, seconds=LONG).problem
    assert not compiled(forward.model)
    chosen = gpu.choose(forward, Compilation.ON, seconds=SHORT)
    assert chosen == gpu.Chosen((f"layers of {kind}: compiled as they are",))
    assert compiled(forward.model) == STACKS[kind]
    for mine, stock in zip(gpu._outcome(forward), gpu._outcome(unpacked(kind)), strict=True):
        torch.testing.assert_close(mine, stock)


@pytest.mark.parametrize("kind", sorted(STACKS))
@pytest.mark.parametrize("works", ["not at all", "wrongly"])
def test_what_fails_in_the_first_pass_is_undone_before_it(
    monkeypatch: pytest.MonkeyPatch, kind: str, works: str
) -> None:
    """Compilers are called when a layer is, not before."""

    def lazy(part: Any, **_: Any) -> None:
        def call(*inputs: Any, **named: Any) -> Any:
            if works == "not at all":
                raise RuntimeError("Failed to find C compiler.")
            out = part._call_impl(*inputs, **named)
            return type(out)({name: value * 1.5 for name, value in out.items()})

        part._compiled_call_impl = call

    monkeypatch.setattr(nn.Module, "compile", lazy)
    forward = unpacked(kind)
    chosen = gpu.choose(forward, Compilation.ON, seconds=SHORT)
    why = "Failed to find C compiler." if works == "not at all" else "it gave other numbers"
    assert chosen == gpu.Chosen((f"layers of {kind}: stock ({why})",), why)
    assert not compiled(forward.model)
    for mine, stock in zip(gpu._outcome(forward), gpu._outcome(unpacked(kind)), strict=True):
        torch.testing.assert_close(mine, stock)


def compiled(model: Any) -> set[str]:
    return {name for name, part in model.named_modules() if part._compiled_call_impl is not None}
