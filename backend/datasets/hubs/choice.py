"""Which files the user's subset and split mean; what is not clear is asked, never guessed."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.datasets.hubs.layout import Offers
from backend.datasets.hubs.trouble import HubTrouble

SHOWN = 20


@dataclass(frozen=True)
class Chosen:
    """One split of one subset."""

    subset: str
    split: str
    paths: list[str]
    partial: bool


def choose(offers: Offers, subset: str | None, split: str | None) -> Chosen:
    """A single offer is taken; raises `HubTrouble` with the choices when there are several."""
    choices = {name: list(splits) for name, splits in offers.subsets.items()}
    if subset is None and len(choices) > 1:
        raise HubTrouble(
            "choose_subset",
            f"The data set has several subsets: {_listed(choices)}.",
            "Choose one of them.",
            params={"choices": _listed(choices)},
            choices=choices,
        )
    name = next(iter(choices)) if subset is None else subset
    if name not in choices:
        raise HubTrouble(
            "no_such_subset",
            f"The data set has no subset “{name}”; it has: {_listed(choices)}.",
            "Choose one of these.",
            params={"subset": name, "choices": _listed(choices)},
            choices=choices,
        )
    splits = offers.subsets[name]
    if split is None and len(splits) > 1:
        raise HubTrouble(
            "choose_split",
            f"There are several splits: {_listed(splits)}.",
            "Choose one of them.",
            params={"choices": _listed(splits)},
            choices=choices,
        )
    part = next(iter(splits)) if split is None else split
    if part not in splits:
        raise HubTrouble(
            "no_such_split",
            f"There is no split “{part}”; there is: {_listed(splits)}.",
            "Choose one of these.",
            params={"split": part, "choices": _listed(splits)},
            choices=choices,
        )
    return Chosen(name, part, splits[part], (name, part) in offers.partial)


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    more = f" … ({len(known)})" if len(known) > SHOWN else ""
    return ", ".join(known[:SHOWN]) + more
