"""How much is computed at once, by device: the engine keeps to it, the estimate expects it.

No torch: the API process reads it too.
"""

# Tokens of one forward and backward pass when memory is no limit. On a CPU steps of 1500 to 2500
# tokens took 2 % more time with 1024 than with 1536, 8 % more with 768, and their runs 1.64 GB,
# 1.89 GB and 1.48 GB (measured, SmolLM2-135M). Batches are cut evenly. The others are not measured:
# a GPU has many more multipliers to keep busy.
MOST_TOKENS = {"cpu": 1024, "mps": 4096, "cuda": 16_384}
FEWEST_TOKENS = 256
# What texts begin with alike is computed once, unless it is shorter: then that is cheaper.
SHORTEST_BEGINNING = 16
# Share of the free memory that activations may take.
ACTIVATION_SHARE = 0.4
# Logits held at a time: 12 M numbers are 24 MB in bfloat16 and 48 MB in float32.
LOGITS_AT_ONCE = {"cpu": 12 * 1024**2, "mps": 32 * 1024**2, "cuda": 32 * 1024**2}


def tokens_that_fit(device: str, free_bytes: float, *, layers: int, hidden: int, inner: int) -> int:
    """Tokens whose activations fit into `free_bytes` and that pay on this kind of device.

    `inner`: width of the feed-forward layers.
    """
    per_token = layers * 2 * (20 * hidden + 6 * inner)
    fitting = int(ACTIVATION_SHARE * free_bytes / per_token)
    return min(MOST_TOKENS[device], max(FEWEST_TOKENS, fitting))


# Families whose decoder layer has hand-written kernels on a CPU: Llama's layer up to biases, norms
# of heads, and layers without positions.
FAST_FAMILIES = frozenset({"llama", "mistral", "qwen2", "qwen3", "smollm3"})
