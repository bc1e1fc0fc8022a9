"""A few answers to held-out prompts, so that a person can judge what the numbers mean."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from training_engine.data.chat import ChatTemplate
from training_engine.data.records import Row
from training_engine.models import attention
from training_engine.models.load import set_attention

NEW_TOKENS = 64
MOST_SECONDS = 20.0
LONGEST_PROMPT = 512


def answers(
    model: nn.Module, template: ChatTemplate, terminators: set[int], rows: Sequence[Row]
) -> list[dict[str, str]]:
    """Greedy answers to the last question of each row, as items of a `samples` event."""
    asked = []
    for row in rows:
        last = max(i for i, m in enumerate(row.messages) if m.role == "assistant")
        if last == 0:
            continue
        ids = template.prompt_ids(row.messages[:last], row.tools)
        if len(ids) <= LONGEST_PROMPT:
            asked.append((row.messages[last - 1].content, row.messages[last].content, ids))
    if not asked:
        return []
    texts = _generate(model, template.tokenizer, terminators, [ids for _, _, ids in asked])
    return [
        {"prompt": prompt, "expected": expected, "answer": text}
        for (prompt, expected, _), text in zip(asked, texts, strict=True)
    ]


def _generate(
    model: Any, tokenizer: Any, terminators: set[int], prompts: list[list[int]]
) -> list[str]:
    """Greedy continuations, all at once; prompts are padded on the left and masked."""
    pad = next(iter(terminators), 0)
    width = max(map(len, prompts))
    ids = torch.tensor([[pad] * (width - len(p)) + p for p in prompts], device=model.device)
    mask = torch.tensor(
        [[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=model.device
    )
    was_training = model.training
    model.eval()
    set_attention(model, "sdpa")
    try:
        with torch.inference_mode():
            out = model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=NEW_TOKENS,
                max_time=MOST_SECONDS,
                do_sample=False,
                use_cache=True,
                pad_token_id=pad,
                eos_token_id=sorted(terminators),
            )
    finally:
        set_attention(model, attention.NAME)
        model.train(was_training)
    return [answer_text(tokenizer, answer.tolist(), terminators) for answer in out[:, width:]]


def answer_text(tokenizer: Any, answer: list[int], terminators: set[int]) -> str:
    """An answer as text; one that was cut off does not end in half a character."""
    text: str = tokenizer.decode(answer, skip_special_tokens=True)
    if answer and answer[-1] not in terminators:
        text = text.rstrip("\ufffd")
    return text.strip()
