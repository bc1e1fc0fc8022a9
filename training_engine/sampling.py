"""A few answers to held-out rows, so that a person can judge what the numbers mean."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training_engine.contract.choices import Head, LabelKind, head_of
from training_engine.contract.names import Phase
from training_engine.data.chat import ChatTemplate, TemplateRefusal, terminators
from training_engine.data.reading import Reading
from training_engine.data.records import Row
from training_engine.models.forward import Scorer
from training_engine.models.gpu import uncompiled
from training_engine.models.load import set_attention
from training_engine.objectives.labels import Labels, names_of
from training_engine.run import Run

NEW_TOKENS = 64
MOST_SECONDS = 20.0
LONGEST_PROMPT = 512
LONGEST_BEGINNING = 128  # of a text that is continued
Item = dict[str, str]


def show(run: Run, reading: Reading, *, step: int) -> None:
    """Report answers of the model as it is; training does not depend on them.

    Answers that can not be had are said to be missing: the run goes on.
    """
    rows = run.data.examples
    if not rows or not run.processes.main or run.shards is not None:
        return
    detail = "Answering held-out prompts"
    run.reporter.phase(Phase.EVALUATING, detail, step=run.state.step)
    was_training = run.model.training
    try:
        with uncompiled(run.model):
            items = _items(run, reading, rows)
    except (RuntimeError, ValueError, TypeError, AttributeError, LookupError) as error:
        reason = " ".join(str(error).split())[:200]
        text = f"Sample answers could not be generated: {reason}. The training is not affected."
        run.reporter.notice("warning", "samples_failed", text, reason=reason)
        return
    finally:
        run.model.train(was_training)
    if items:
        run.reporter.events.write("samples", step=step, items=items)


def _items(run: Run, reading: Reading, rows: Sequence[Row]) -> list[Item]:
    ends = terminators(reading.template.tokenizer, Path(run.spec.model.path))
    match head_of(run.spec.objective):
        case Head.CAUSAL_LM:
            if not reading.needs_template:
                return continuations(run.model, reading.template.tokenizer, ends, rows)
            return answers(run.model, reading.template, ends, rows)
        case Head.SEQ2SEQ_LM:
            return _outputs(run.model, reading, rows)
        case Head.SEQUENCE_CLASSIFICATION:
            classes = getattr(reading, "classes", None)
            return [] if classes is None else _predictions(run, reading, classes, rows)


def answers(
    model: nn.Module, template: ChatTemplate, terminators: set[int], rows: Sequence[Row]
) -> list[Item]:
    """Greedy answers to the last question of each row, as items of a `samples` event."""
    asked = []
    for row in rows:
        messages = [*row.messages, *(row.chosen or [])]
        last = max((i for i, m in enumerate(messages) if m.role == "assistant"), default=0)
        if last == 0:
            continue
        try:
            ids = template.prompt_ids(messages[:last], row.tools)
        except TemplateRefusal:
            continue
        if len(ids) <= LONGEST_PROMPT:
            asked.append((messages[last - 1].content, messages[last].content, ids))
    if not asked:
        return []
    texts = _generate(model, template.tokenizer, terminators, [ids for _, _, ids in asked])
    return [
        {"prompt": prompt, "expected": expected, "answer": text}
        for (prompt, expected, _), text in zip(asked, texts, strict=True)
    ]


def continuations(
    model: nn.Module, tokenizer: Any, terminators: set[int], rows: Sequence[Row]
) -> list[Item]:
    """How the model goes on after the beginning of each text, and how the text does."""
    begun = []
    for row in rows:
        ids: list[int] = tokenizer(row.text or "")["input_ids"]
        half = min(len(ids) // 2, LONGEST_BEGINNING)
        if half:
            begun.append((ids[:half], ids[half : half + NEW_TOKENS]))
    if not begun:
        return []
    texts = _generate(model, tokenizer, terminators, [ids for ids, _ in begun])
    return [
        {
            "prompt": answer_text(tokenizer, ids, set()),
            "expected": answer_text(tokenizer, rest, set()),
            "answer": text,
        }
        for (ids, rest), text in zip(begun, texts, strict=True)
    ]


def _outputs(model: Any, reading: Reading, rows: Sequence[Row]) -> list[Item]:
    """Greedy outputs of an encoder–decoder."""
    tokenizer, found = reading.template.tokenizer, []
    was_training = model.training
    model.eval()
    for row in rows:
        source, target = reading.samples(row)[0].texts
        ids = tokenizer(
            source.text, return_tensors="pt", truncation=True, max_length=reading.lengths[0]
        )
        with torch.inference_mode():
            out = model.generate(
                **ids.to(model.device),
                max_new_tokens=NEW_TOKENS,
                max_time=MOST_SECONDS,
                do_sample=False,
                num_beams=1,
            )
        text = tokenizer.decode(out[0], skip_special_tokens=True).strip()
        found.append({"prompt": source.text, "expected": target.text, "answer": text})
    model.train(was_training)
    return found


def _predictions(run: Run, reading: Reading, classes: Labels, rows: Sequence[Row]) -> list[Item]:
    """What a classifier says of texts, by the names of its classes."""
    tokenizer, found = reading.template.tokenizer, []
    scorer, was_training = run.criterion.forward, run.model.training
    if not isinstance(scorer, Scorer):
        raise TypeError("only a model with a classification head scores texts")
    run.model.eval()
    for row in rows:
        text = row.text or ""
        ids = tokenizer(text, truncation=True, max_length=reading.lengths[0])["input_ids"]
        with torch.no_grad():
            scores = scorer.scores_of_one(ids)
        found.append(
            {
                "prompt": text,
                "expected": ", ".join(names_of(row.label)) or "–",
                "answer": named(scores, classes),
            }
        )
    run.model.train(was_training)
    return found


def named(scores: torch.Tensor, classes: Labels) -> str:
    """Scores [labels] in words: the class, the classes, or the number."""
    if classes.kind is LabelKind.REGRESSION:
        return f"{float(scores[0]):.4g}"
    if classes.kind is LabelKind.MULTI:
        return ", ".join(n for n, s in zip(classes.names, scores, strict=True) if s > 0) or "–"
    return classes.names[int(scores.argmax())]


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
    was_training, attention_name = model.training, model.config._attn_implementation
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
        set_attention(model, attention_name)
        model.train(was_training)
    return [answer_text(tokenizer, answer.tolist(), terminators) for answer in out[:, width:]]


def answer_text(tokenizer: Any, answer: list[int], terminators: set[int]) -> str:
    """An answer as text; one that was cut off does not end in half a character."""
    text: str = tokenizer.decode(answer, skip_special_tokens=True)
    if answer and answer[-1] not in terminators:
        text = text.rstrip("\ufffd")
    return text.strip()
