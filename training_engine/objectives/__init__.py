"""What can be learnt: for each objective how it reads rows, and its loss."""

from dataclasses import dataclass
from importlib import import_module

from training_engine.contract.choices import Objective
from training_engine.data.reading import Reading
from training_engine.objectives.criterion import Criterion

_PLACES = {
    Objective.SFT: ("sft.Conversations", "sft.NextToken"),
    Objective.PRETRAIN: ("pretrain.Documents", "sft.NextToken"),
    Objective.CLASSIFY: ("classify.LabelledTexts", "classify.Classification"),
    Objective.SEQ2SEQ: ("seq2seq.Translations", "sft.NextToken"),
    Objective.DPO: ("pairs.Pairs", "dpo.DirectPreference"),
    Objective.IPO: ("pairs.Pairs", "ipo.IdentityPreference"),
    Objective.ORPO: ("pairs.Pairs", "orpo.OddsRatioPreference"),
    Objective.SIMPO: ("pairs.Pairs", "simpo.SimplePreference"),
    Objective.CPO: ("pairs.Pairs", "cpo.ContrastivePreference"),
    Objective.KTO: ("kto.JudgedAnswers", "kto.KahnemanTversky"),
    Objective.REWARD: ("reward.ScoredPairs", "reward.RewardModel"),
}


@dataclass(frozen=True)
class Recipe:
    """The two halves of an objective: what rows become, and what is computed with them."""

    reading: type[Reading]
    criterion: type[Criterion]


def recipe_of(objective: Objective) -> Recipe:
    """The recipe of an objective; only its own files are imported."""
    reading, criterion = (_found(place) for place in _PLACES[objective])
    return Recipe(reading, criterion)


def _found(place: str) -> type:
    module, _, name = place.rpartition(".")
    found: type = getattr(import_module(f"{__name__}.{module}"), name)
    return found
