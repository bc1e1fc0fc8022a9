"""Models worth knowing: facts as published with each, and the sizes that decide what fits.

`config` holds the fields of the model's config.json that its memory depends on.
"""

from dataclasses import dataclass
from typing import Any

from backend.models.schemas import ModelSource
from backend.models.starters import STARTERS

GB = 1_000_000_000
EUROPEAN = ("en", "fr", "de", "es", "it", "pt")
QWEN2_LANGUAGES = ("zh", *EUROPEAN, "ru", "ja", "ko", "vi", "th", "ar")
LLAMA_LANGUAGES = ("en", "de", "fr", "it", "pt", "hi", "es", "th")
MANY = ("en", "zh", "ja", "ko", *EUROPEAN[1:], "ru", "ar", "hi", "vi", "th", "id", "tr")


@dataclass(frozen=True)
class KnownModel:
    """One line of the catalogue; `reason` is why it can not be fetched by the platform.

    `architecture`: the class that its config.json names, or one that learns the same.
    """

    reference: str
    family: str
    num_parameters: int
    context_length: int
    licence: str
    languages: tuple[str, ...]
    download_bytes: int
    config: dict[str, Any]
    reason: str | None = None
    source: ModelSource = ModelSource.HUGGINGFACE
    architecture: str = "LlamaForCausalLM"


def _shape(
    kind: str,
    sizes: tuple[int, int, int, int, int, int],
    *,
    tied: bool,
    head_dim: int | None = None,
) -> dict[str, Any]:
    """`sizes`: hidden, layers, heads, key-value heads, intermediate, vocabulary."""
    hidden, layers, heads, grouped, intermediate, vocabulary = sizes
    return {
        "model_type": kind,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": grouped,
        "head_dim": head_dim or hidden // heads,
        "intermediate_size": intermediate,
        "vocab_size": vocabulary,
        "tie_word_embeddings": tied,
    }


_SMALL_LLAMA = _shape("llama", (576, 30, 9, 3, 1536, 49152), tied=True)
_QWEN_7B = _shape("qwen2", (3584, 28, 28, 4, 18944, 152064), tied=False)
_QWEN_14B = _shape("qwen2", (5120, 48, 40, 8, 13824, 152064), tied=False)
_LLAMA_8B = _shape("llama", (4096, 32, 32, 8, 14336, 128256), tied=False)

STARTER = KnownModel(
    STARTERS["starter"].name,
    "SmolLM",
    134_515_008,
    8192,
    "apache-2.0",
    ("en",),
    0,
    _SMALL_LLAMA,
    source=ModelSource.STARTER,
)

ENCODER = KnownModel(
    STARTERS["starter-encoder"].name,
    "MiniLM",
    22_713_216,
    512,
    "apache-2.0",
    ("en",),
    0,
    {
        "model_type": "bert",
        "hidden_size": 384,
        "num_hidden_layers": 6,
        "num_attention_heads": 12,
        "intermediate_size": 1536,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
        "vocab_size": 30522,
    },
    source=ModelSource.STARTER,
    architecture="BertModel",
)

_SMOL = [
    KnownModel(
        "HuggingFaceTB/SmolLM2-360M-Instruct",
        "SmolLM",
        361_821_120,
        8192,
        "apache-2.0",
        ("en",),
        int(0.73 * GB),
        _shape("llama", (960, 32, 15, 5, 2560, 49152), tied=True),
    ),
    KnownModel(
        "HuggingFaceTB/SmolLM2-1.7B-Instruct",
        "SmolLM",
        1_711_376_384,
        8192,
        "apache-2.0",
        ("en",),
        int(3.43 * GB),
        _shape("llama", (2048, 24, 32, 32, 8192, 49152), tied=True),
    ),
    KnownModel(
        "HuggingFaceTB/SmolLM3-3B",
        "SmolLM",
        3_075_098_624,
        65536,
        "apache-2.0",
        (*EUROPEAN, "zh", "ar", "ru"),
        int(6.17 * GB),
        _shape("smollm3", (2048, 36, 16, 4, 11008, 128256), tied=True),
    ),
]
_QWEN2 = [
    KnownModel(
        f"Qwen/Qwen2.5-{size}-Instruct",
        "Qwen2.5",
        parameters,
        32768,
        licence,
        QWEN2_LANGUAGES,
        int(gigabytes * GB),
        config,
    )
    for size, parameters, licence, gigabytes, config in (
        (
            "0.5B",
            494_032_768,
            "apache-2.0",
            1.0,
            _shape("qwen2", (896, 24, 14, 2, 4864, 151936), tied=True),
        ),
        (
            "1.5B",
            1_543_714_304,
            "apache-2.0",
            3.1,
            _shape("qwen2", (1536, 28, 12, 2, 8960, 151936), tied=True),
        ),
        (
            "3B",
            3_085_938_688,
            "qwen-research",
            6.18,
            _shape("qwen2", (2048, 36, 16, 2, 11008, 151936), tied=True),
        ),
        ("7B", 7_615_616_512, "apache-2.0", 15.24, _QWEN_7B),
        ("14B", 14_770_033_664, "apache-2.0", 29.55, _QWEN_14B),
    )
]
_QWEN3 = [
    KnownModel(
        f"Qwen/Qwen3-{size}",
        "Qwen3",
        parameters,
        40960,
        "apache-2.0",
        MANY,
        int(gigabytes * GB),
        _shape("qwen3", sizes, tied=tied, head_dim=128),
    )
    for size, parameters, gigabytes, sizes, tied in (
        ("0.6B", 596_049_920, 1.51, (1024, 28, 16, 8, 3072, 151936), True),
        ("1.7B", 1_720_574_976, 4.07, (2048, 28, 16, 8, 6144, 151936), True),
        ("4B", 4_022_468_096, 8.06, (2560, 36, 32, 8, 9728, 151936), True),
        ("8B", 8_190_735_360, 16.39, (4096, 36, 32, 8, 12288, 151936), False),
        ("14B", 14_768_307_200, 29.55, (5120, 40, 40, 8, 17408, 151936), False),
    )
]
_LLAMA = [
    KnownModel(
        f"meta-llama/Llama-{size}-Instruct",
        "Llama 3",
        parameters,
        131072,
        licence,
        LLAMA_LANGUAGES,
        int(gigabytes * GB),
        config,
        reason="gated",
    )
    for size, parameters, licence, gigabytes, config in (
        (
            "3.2-1B",
            1_235_814_400,
            "llama3.2",
            2.48,
            _shape("llama", (2048, 16, 32, 8, 8192, 128256), tied=True),
        ),
        (
            "3.2-3B",
            3_212_749_824,
            "llama3.2",
            6.44,
            _shape("llama", (3072, 28, 24, 8, 8192, 128256), tied=True),
        ),
        ("3.1-8B", 8_030_261_248, "llama3.1", 16.07, _LLAMA_8B),
    )
]
_GEMMA = [
    KnownModel(
        f"google/gemma-{size}-it",
        family,
        parameters,
        context,
        "gemma",
        languages,
        int(gigabytes * GB),
        _shape(kind, sizes, tied=True, head_dim=256),
        reason="gated",
    )
    for size, family, kind, parameters, context, languages, gigabytes, sizes in (
        (
            *("3-270m", "Gemma 3", "gemma3_text", 268_098_176, 32768, MANY, 0.57),
            (640, 18, 4, 1, 2048, 262144),
        ),
        (
            *("3-1b", "Gemma 3", "gemma3_text", 999_885_952, 32768, MANY, 2.04),
            (1152, 26, 4, 1, 6912, 262144),
        ),
        (
            *("2-2b", "Gemma 2", "gemma2", 2_614_341_888, 8192, ("en",), 5.25),
            (2304, 26, 8, 4, 9216, 256000),
        ),
    )
]
_DEEPSEEK = [
    KnownModel(
        f"deepseek-ai/DeepSeek-R1-Distill-{size}",
        "DeepSeek R1",
        parameters,
        131072,
        "mit",
        ("en", "zh"),
        int(gigabytes * GB),
        config,
    )
    for size, parameters, gigabytes, config in (
        (
            "Qwen-1.5B",
            1_777_088_000,
            3.56,
            _shape("qwen2", (1536, 28, 12, 2, 8960, 151936), tied=False),
        ),
        ("Qwen-7B", 7_615_616_512, 15.24, _QWEN_7B),
        ("Llama-8B", 8_030_261_248, 16.07, _LLAMA_8B),
        ("Qwen-14B", 14_770_033_664, 29.55, _QWEN_14B),
    )
]
_OTHERS = [
    KnownModel(
        "mistralai/Mistral-7B-Instruct-v0.3",
        "Mistral",
        7_248_023_552,
        32768,
        "apache-2.0",
        EUROPEAN,
        int(14.5 * GB),
        _shape("mistral", (4096, 32, 32, 8, 14336, 32768), tied=False),
    ),
    KnownModel(
        "microsoft/Phi-3.5-mini-instruct",
        "Phi",
        3_821_079_552,
        131072,
        "mit",
        MANY,
        int(7.65 * GB),
        _shape("phi3", (3072, 32, 32, 32, 8192, 32064), tied=False),
        reason="needs_code",
    ),
    KnownModel(
        "microsoft/phi-4",
        "Phi",
        14_659_507_200,
        16384,
        "mit",
        ("en",),
        int(29.32 * GB),
        _shape("phi3", (5120, 40, 40, 10, 17920, 100352), tied=False),
    ),
    KnownModel(
        "zai-org/GLM-4-9B-0414",
        "GLM-4",
        9_400_279_040,
        32768,
        "mit",
        ("zh", "en"),
        int(18.82 * GB),
        _shape("glm4", (4096, 40, 32, 2, 13696, 151552), tied=False, head_dim=128),
    ),
]

KNOWN_MODELS: tuple[KnownModel, ...] = (
    STARTER,
    ENCODER,
    *_SMOL,
    *_QWEN3,
    *_QWEN2,
    *_LLAMA,
    *_GEMMA,
    *_DEEPSEEK,
    *_OTHERS,
)
