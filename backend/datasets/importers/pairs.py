"""Two answers to one prompt: what they must be, and where a prompt ends that stands in both."""

import re
from typing import Any

from backend.datasets.importers.conversation import tidied
from backend.datasets.importers.importer import Fields, Repairs, text_of
from backend.datasets.importers.turns import turn, turns_of
from backend.datasets.rows import Repair, RowError

# Anthropic's texts of whole conversations, as in HH-RLHF.
_SPEAKER = re.compile(r"(?:^|\n\n)(Human|Assistant): ?")


def answer_of(value: Any, field: str, repairs: Repairs) -> list[Fields]:
    """An answer as turns: from a text, from one turn, or from a list of them; may be empty."""
    if isinstance(value, list):
        return turns_of(value, field, repairs) if value else []
    if isinstance(value, dict):
        return turn(value, field, repairs)
    text = text_of(value, field, repairs)
    return [{"role": "assistant", "content": text}] if text.strip() else []


def pair_record(
    prompt: list[Fields], chosen: list[Fields], rejected: list[Fields], repairs: Repairs
) -> Fields:
    """The record; a prompt that stands at the beginning of the answers is taken out of them."""
    if chosen and chosen == rejected:
        raise RowError("same_answers", "rejected", "Both answers are the same.")
    shared = _shared(chosen, rejected)
    core = [message for message in prompt if message["role"] != "system"]
    beginning = [message for message in shared if message["role"] != "system"]
    if beginning and beginning[len(beginning) - len(core) :] == core:
        told = [each for each in prompt if each["role"] == "system" and each not in shared]
        prompt = [*told, *shared]
        chosen, rejected = chosen[len(shared) :], rejected[len(shared) :]
    else:
        chosen, rejected = _without(prompt, chosen), _without(prompt, rejected)
    if not any(message["role"] in ("user", "tool") for message in prompt):
        raise RowError("missing_prompt", None, "There is no question that both answers follow.")
    for name, answer in (("chosen", chosen), ("rejected", rejected)):
        if not answer or answer[-1]["role"] != "assistant":
            raise RowError("missing_answer", name, f"There is no “{name}” answer.")
    record = {
        "messages": tidied(prompt, repairs),
        "chosen": tidied(chosen, repairs),
        "rejected": tidied(rejected, repairs),
    }
    if record["chosen"] == record["rejected"]:
        raise RowError("same_answers", "rejected", "Both answers are the same.")
    return record


def _shared(first: list[Fields], second: list[Fields]) -> list[Fields]:
    number = 0
    while number < min(len(first), len(second)) and first[number] == second[number]:
        number += 1
    return first[:number]


def _without(prompt: list[Fields], answer: list[Fields]) -> list[Fields]:
    """The answer without the prompt that it repeats."""
    core = [message for message in prompt if message["role"] != "system"]
    for beginning in (prompt, core):
        number = len(beginning)
        if number and len(answer) > number and answer[:number] == beginning:
            return answer[number:]
    return answer


def split_beginning(chosen: Any, rejected: Any, repairs: Repairs) -> tuple[list[Fields], Any, Any]:
    """The prompt in two texts that hold it both, and the two without it; turns stay as they are.

    TRL calls this an implicit prompt. Texts of `Human:` and `Assistant:` become turns.
    """
    if not isinstance(chosen, str) or not isinstance(rejected, str):
        return [], chosen, rejected
    if _SPEAKER.match(chosen.strip()) and _SPEAKER.match(rejected.strip()):
        return [], _dialogue(chosen), _dialogue(rejected)
    number, most = 0, min(len(chosen), len(rejected))
    while number < most and chosen[number] == rejected[number]:
        number += 1
    # Back to where a word ends: half a word is no prompt.
    while number and not chosen[number - 1].isspace():
        number -= 1
    prompt = chosen[:number].strip()
    if not prompt or number in (len(chosen), len(rejected)):
        return [], chosen, rejected
    message = "The beginning that both answers share became the prompt."
    repairs.append(Repair("prompt_split_off", "chosen", message))
    turns = [{"role": "user", "content": prompt}]
    return turns, chosen[number:].strip(), rejected[number:].strip()


def _dialogue(text: str) -> list[Fields]:
    parts = _SPEAKER.split(text.strip())[1:]
    roles = {"Human": "user", "Assistant": "assistant"}
    return [
        {"role": roles[speaker], "content": words.strip()}
        for speaker, words in zip(parts[::2], parts[1::2], strict=True)
    ]
