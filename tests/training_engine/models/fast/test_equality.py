"""The fast path gives what the stock layers give: states, losses and every adapter's gradient."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from training_engine.models import attention, fast
from training_engine.models.fast import attention as fast_attention
from training_engine.models.lora import LoraLinear

SHAPE = {
    "vocab_size": 99,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.15,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {"attention_bias": True, "mlp_bias": True},
    "mistral": {"sliding_window": None, "num_key_value_heads": 4},
    "qwen2": {"num_key_value_heads": 1},
    "qwen3": {"head_dim": 32},
    "smollm3": {"no_rope_layers": [1, 0, 1]},
}
LENGTHS = (9, 1, 140, 30, 300, 2)
EVERY = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def make(family: str, adapted: tuple[str, ...] = EVERY, **more: Any) -> Any:
    """A tiny random model with adapters whose A and B are both random."""
    from transformers import AutoConfig, AutoModelForCausalLM

    attention.register()
    torch.manual_seed(0)
    config = AutoConfig.for_model(family, **{**SHAPE, **FAMILIES[family], **more})
    model: Any = AutoModelForCausalLM.from_config(config, attn_implementation=attention.NAME)
    model.requires_grad_(False)
    for layer in model.get_decoder().layers:
        for parent in (layer.self_attn, layer.mlp):
            for name in adapted:
                if hasattr(parent, name):
                    adapter = LoraLinear(getattr(parent, name), 4, 1.5, 0.0, None)
                    torch.nn.init.normal_(adapter.lora_b, std=0.1)
                    setattr(parent, name, adapter)
    for name, parameter in model.named_parameters():
        if "norm" in name or name.endswith("bias"):  # ones and zeros would hide a mistake
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
    return model.train()


def ids(lengths: tuple[int, ...]) -> dict[str, Any]:
    """A packed row of random tokens."""
    generator = torch.Generator().manual_seed(1)
    return {
        "input_ids": torch.randint(3, 99, (1, sum(lengths)), generator=generator),
        "position_ids": torch.cat([torch.arange(n) for n in lengths])[None],
        "sample_lengths": lengths,
        "use_cache": False,
    }


def states(model: Any, lengths: tuple[int, ...] = LENGTHS) -> Tensor:
    """Hidden states of a packed row."""
    found: Tensor = model.get_decoder()(**ids(lengths)).last_hidden_state[0]
    return found


def gradients(model: Any, lengths: tuple[int, ...] = LENGTHS) -> tuple[Tensor, dict[str, Tensor]]:
    """Hidden states and the adapters' gradients of a random push on them."""
    out = states(model, lengths)
    push = torch.randn(out.shape, generator=torch.Generator().manual_seed(2)).to(out.dtype)
    (out * push).sum().backward()
    found = {n: p.grad for n, p in model.named_parameters() if p.requires_grad}
    assert all(gradient is not None for gradient in found.values())
    return out.detach(), found


def assert_near(actual: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """Every gradient is the expected one, up to float32's rounding."""
    assert actual.keys() == expected.keys()
    for name, gradient in expected.items():
        largest = float(gradient.abs().max())
        torch.testing.assert_close(
            actual[name], gradient, rtol=1e-3, atol=1e-6 + 1e-4 * largest, msg=name
        )


@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("adapted", [EVERY, ("q_proj", "v_proj"), ("down_proj", "up_proj")])
def test_states_and_gradients_equal_the_stock_layers(family: str, adapted: tuple[str, ...]) -> None:
    stock = make(family, adapted)
    quick = copy.deepcopy(stock)
    assert fast.install(quick)
    wanted, expected = gradients(stock)
    got, actual = gradients(quick)
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-4)
    assert_near(actual, expected)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_in_bf16_it_is_no_further_from_the_truth_than_the_stock_layers(family: str) -> None:
    exact = make(family)
    stock, quick = (copy.deepcopy(exact).bfloat16() for _ in range(2))
    assert fast.install(quick)
    truth, wanted = gradients(exact)
    (far, theirs), (near, ours) = gradients(stock), gradients(quick)
    assert (near.float() - truth).norm() < 1.2 * (far.float() - truth).norm()
    for name, gradient in wanted.items():
        error, allowed = ((g[name].float() - gradient).norm() for g in (ours, theirs))
        assert error < 1.5 * allowed + 0.01 * gradient.norm(), name


@pytest.mark.parametrize("lengths", [(1,), (3, 3, 3), (128,), (129,), (640,), (60, 70, 700)])
def test_whatever_the_lengths(lengths: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """One sample, many in a block, cut ones, and ones whose weights are computed twice."""
    monkeypatch.setattr(fast_attention, "KEPT", 300)
    stock = make("llama", max_position_embeddings=1024)
    quick = copy.deepcopy(stock)
    assert fast.install(quick)
    wanted, expected = gradients(stock, lengths)
    got, actual = gradients(quick, lengths)
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-4)
    assert_near(actual, expected)


def test_samples_do_not_see_each_other() -> None:
    model = make("llama")
    assert fast.install(model)
    with torch.no_grad():
        whole = states(model, (20, 30, 150))
        row = ids((20, 30, 150))
        row["input_ids"][0, 20:50] = 5
        changed = model.get_decoder()(**row).last_hidden_state[0]
    torch.testing.assert_close(changed[:20], whole[:20])
    torch.testing.assert_close(changed[50:], whole[50:])
    assert not torch.allclose(changed[20:50], whole[20:50])


def test_without_gradients_and_with_adapters_switched_off() -> None:
    stock = make("qwen3")
    quick = copy.deepcopy(stock)
    assert fast.install(quick)
    for on in (False, True):
        for model in (stock, quick):
            for module in model.modules():
                if isinstance(module, LoraLinear):
                    module.enabled = on
        with torch.no_grad():
            torch.testing.assert_close(states(quick), states(stock), rtol=1e-4, atol=1e-4)


def test_a_pass_without_adapters_does_not_disturb_one_that_waits_for_its_gradient() -> None:
    stock = make("llama")
    quick = copy.deepcopy(stock)
    assert fast.install(quick)
    _, wanted = gradients(stock)
    loss = states(quick)
    push = torch.randn(loss.shape, generator=torch.Generator().manual_seed(2))
    layers = [m for m in quick.modules() if isinstance(m, LoraLinear)]
    for layer in layers:
        layer.enabled = False
    with torch.no_grad():
        states(quick)
    for layer in layers:
        layer.enabled = True
    (loss * push).sum().backward()
    for name, parameter in quick.named_parameters():
        if parameter.requires_grad:
            expected = wanted[name]
            torch.testing.assert_close(
                parameter.grad, expected, rtol=1e-3, atol=1e-6 + 1e-4 * float(expected.abs().max())
            )


def test_an_update_of_the_adapters_is_seen() -> None:
    stock = make("llama")
    quick = copy.deepcopy(stock)
    assert fast.install(quick)
    for model in (stock, quick):
        states(model)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if name.endswith("lora_b"):
                    parameter.mul_(-2)
    torch.testing.assert_close(states(quick), states(stock), rtol=1e-4, atol=1e-4)


def test_generation_uses_the_stock_layers_and_gives_the_same() -> None:
    stock = make("llama").eval()
    quick = copy.deepcopy(stock)
    assert fast.install(quick)
    prompt = torch.tensor([[5, 6, 7, 8]])
    answers = []
    for model in (stock, quick):
        model.set_attn_implementation("sdpa")
        answers.append(model.generate(prompt, max_new_tokens=8, do_sample=False))
        model.set_attn_implementation(attention.NAME)
    assert answers[0].tolist() == answers[1].tolist()
    torch.testing.assert_close(states(quick), states(stock), rtol=1e-4, atol=1e-4)
    fast.uninstall(quick)
    assert all("forward" not in vars(layer) for layer in quick.get_decoder().layers)
    torch.testing.assert_close(states(quick), states(stock), rtol=1e-4, atol=1e-4)


def test_a_window_shorter_than_a_sample_stays_with_the_stock_layers() -> None:
    stock = make("mistral", sliding_window=8)
    quick = copy.deepcopy(stock)
    assert fast.install(quick)
    torch.testing.assert_close(states(quick), states(stock))


def test_the_same_pass_gives_the_same_bits() -> None:
    models = [make("llama").bfloat16() for _ in range(2)]
    assert all(map(fast.install, models))
    (first, one), (second, two) = map(gradients, models)
    assert torch.equal(first, second)
    assert all(torch.equal(one[name], two[name]) for name in one)


# torch.compile imports what warns of itself
@pytest.mark.filterwarnings("ignore:`torch.jit.:DeprecationWarning")
@pytest.mark.parametrize(
    "change", ["dropout", "full", "kind", "checkpointing", "compiled", "device"]
)
def test_what_it_can_not_compute_is_left_to_the_stock_layers(change: str) -> None:
    model = make("llama")
    attend = model.get_decoder().layers[1].self_attn
    if change == "dropout":
        attend.q_proj.dropout = 0.1
    elif change == "full":
        attend.q_proj.base_layer.weight.requires_grad_(True)
    elif change == "kind":

        class OtherLinear(LoraLinear):
            pass

        attend.q_proj = OtherLinear(attend.q_proj.base_layer, 4, 1.5, 0.0, None)
    elif change == "checkpointing":
        model.activation_checkpointing_enable()
    elif change == "compiled":
        model.get_decoder().compile()
    else:
        model.to("meta")
    assert not fast.install(model)
    assert all("forward" not in vars(layer) for layer in model.get_decoder().layers)


def test_other_families_are_left_to_the_stock_layers() -> None:
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model("gemma2", **SHAPE, head_dim=16)
    assert not fast.install(AutoModelForCausalLM.from_config(config))
