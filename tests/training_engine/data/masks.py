"""Rows encoded with a template, and the stretches that are learnt of them."""

from typing import Any

import pytest

from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.records import Message
from training_engine.data.chat import ChatTemplate
from training_engine.data.encode import EncodedSet, Encoder
from training_engine.data.records import Row
from training_engine.failures import EngineFailure
from training_engine.objectives.sft import Conversations

END = 258  # <|im_end|>


def row(messages: list[dict[str, Any]], line: int = 1, tools: Any = None) -> Row:
    return Row(line, [Message.model_validate(m) for m in messages], tools)


def encoder(tokenizer: Any, max_length: int, *, leave_out: bool = False) -> Encoder:
    knobs = Hyperparameters(max_length=max_length)
    reading = Conversations(ChatTemplate(tokenizer), knobs)
    return Encoder(reading, {END}, leave_out=leave_out)


def encode(tokenizer: Any, *rows: Row, max_length: int = 10_000) -> EncodedSet:
    return encoder(tokenizer, max_length).encode(rows)


def learnt(tokenizer: Any, data: EncodedSet) -> list[list[str]]:
    """For each sample, its learnt stretches as text."""
    samples = []
    for begin, end in zip(data.bounds, data.bounds[1:], strict=False):
        stretches: list[list[int]] = []
        for place in range(begin, end):
            if not data.trained[place]:
                continue
            if place == begin or not data.trained[place - 1]:
                stretches.append([])
            stretches[-1].append(int(data.tokens[place]))
        samples.append([tokenizer.decode(stretch) for stretch in stretches])
    return samples


def refusal(tokenizer: Any, *rows: Row, max_length: int = 10_000) -> EngineFailure:
    with pytest.raises(EngineFailure) as caught:
        encode(tokenizer, *rows, max_length=max_length)
    assert caught.value.code == "bad_dataset"
    assert caught.value.hint
    return caught.value
