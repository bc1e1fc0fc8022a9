"""What a model computes for a few samples: as it was trained, and as its files are served."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training_engine.contract.choices import Head, head_of
from training_engine.contract.spec import RunSpec
from training_engine.data.packing import PackedRow
from training_engine.devices import Placement
from training_engine.export.adapter_folder import label_settings
from training_engine.models import attention, load, method
from training_engine.models.forward import Decoder, Scorer
from training_engine.models.gpu import uncompiled
from training_engine.run import Run
from training_engine.serve.adapters import add_with_head

LONGEST = 128  # tokens of each sequence
POSITIONS = 8
NEW_TOKENS = 8
# Token ids of a sample's sequences, and how many of the first come before what is learnt.
Sample = tuple[list[list[int]], int]


@dataclass(frozen=True)
class Answers:
    """Logits of the last positions of each sample, or its scores, [n, v] float32 on the CPU.

    `greedy` [n, v]: logits of the tokens that `text` consists of, the first sample's greedy
    continuation (a translation from its first token on); None for scores, and for the few
    families that can not generate.
    """

    logits: list[Tensor]
    greedy: Tensor | None = None
    text: Tensor | None = None


def of_trainer(run: Run, samples: list[Sample]) -> Answers:
    """Through the weights and the kernels that were trained with."""
    model: Any = run.model
    forward, was_training = run.criterion.forward, model.training
    model.eval()
    if forward.packed:  # writing a whole model has switched it off
        load.set_attention(model, attention.NAME)
    try:
        with uncompiled(model), torch.inference_mode():
            logits = [_trained(forward, each[0]) for each in samples]
            if isinstance(forward, Scorer):
                return Answers(logits)
            return Answers(logits, *_greedy(model, forward, *samples[0]))
    finally:
        model.train(was_training)


def of_files(
    spec: RunSpec, folder: Path, place: Placement, samples: list[Sample], wanted: Answers
) -> Answers:
    """Through the result in `folder`, loaded afresh; the continuation is the one of `wanted`."""
    head = head_of(spec.objective)
    model = _loaded(spec, folder, place, head)
    with torch.inference_mode():
        logits = [_stock(model, head, each[0]) for each in samples]
        if wanted.text is None or wanted.greedy is None:
            return Answers(logits)
        (first, *_), before = samples[0]
        count = len(wanted.greedy)
        if head is Head.SEQ2SEQ_LM:
            return Answers(logits, _translated(model, first, wanted.text)[-count:].float().cpu())
        ids = [*first[:LONGEST][:before], *wanted.text.tolist()[:-1]]
        return Answers(logits, _row(model, ids)[-count:].float().cpu())


def _loaded(spec: RunSpec, folder: Path, place: Placement, head: Head) -> Any:
    adapter = method.makes_adapter(spec)
    labels = label_settings(folder) if adapter and head is Head.SEQUENCE_CLASSIFICATION else {}
    model = load.load_stock(
        Path(spec.model.path) if adapter else folder,
        place,
        head,
        load.STOCK_ATTENTION,
        quantization=method.quantization_of(spec) if adapter else None,
        trusted_code_sha256=spec.model.trusted_code_sha256,
        **labels,
    ).eval()
    if adapter:
        add_with_head(model, "result", folder)
    return model


def _trained(forward: Any, sequences: list[list[int]]) -> Tensor:
    first = sequences[0][:LONGEST]
    if isinstance(forward, Scorer):
        return forward.scores_of_one(first)[None].cpu()
    if isinstance(forward, Decoder):
        ids = torch.tensor([first], device=forward.model.device)
        places = torch.arange(len(first), device=ids.device)
        row = PackedRow(
            input_ids=ids,
            position_ids=places[None],
            lengths=(len(first),),
            predicting=places[-POSITIONS:],
            targets=ids[0, :0],
            owner=ids[0, :0],
            samples=(0,),
        )
        return forward.logits(row).cpu()
    return _stock(forward.model, Head.SEQ2SEQ_LM, sequences)


def _stock(model: Any, head: Head, sequences: list[list[int]]) -> Tensor:
    first = sequences[0][:LONGEST]
    if head is not Head.SEQ2SEQ_LM:
        return _row(model, first)[-POSITIONS:].float().cpu()
    labels = torch.tensor([sequences[1][:LONGEST]], device=model.device)
    begun = model.prepare_decoder_input_ids_from_labels(labels=labels)
    return _translated(model, first, begun[0])[-POSITIONS:].float().cpu()


def _row(model: Any, ids: list[int]) -> Tensor:
    """Logits of a text, or its scores in one row."""
    tokens = torch.tensor([ids], device=model.device)
    out = model(input_ids=tokens, attention_mask=torch.ones_like(tokens))
    logits: Tensor = out.logits
    return logits[0] if logits.ndim == 3 else logits


def _translated(model: Any, source: list[int], begun: Tensor) -> Tensor:
    """Logits of what follows each of the tokens `begun` [n] of a translation."""
    tokens = torch.tensor([source[:LONGEST]], device=model.device)
    out = model(
        input_ids=tokens,
        attention_mask=torch.ones_like(tokens),
        decoder_input_ids=begun[None].to(model.device),
    )
    logits: Tensor = out.logits[0]
    return logits


def _greedy(
    model: Any, forward: Any, sequences: list[list[int]], before: int
) -> tuple[Tensor | None, Tensor | None]:
    """Logits and tokens of a short continuation, see `Answers`."""
    decoder = isinstance(forward, Decoder)
    prompt = sequences[0][:LONGEST]
    ids = torch.tensor([prompt[:before] if decoder else prompt], device=model.device)
    if forward.packed:
        load.set_attention(model, load.STOCK_ATTENTION)
    try:
        out = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=NEW_TOKENS,
            do_sample=False,
            num_beams=1,
            use_cache=True,
            output_logits=True,
            return_dict_in_generate=True,
            pad_token_id=0,
        )
    except (RuntimeError, ValueError, TypeError, AttributeError, LookupError):
        return None, None
    finally:
        if forward.packed:
            load.set_attention(model, attention.NAME)
    text = out.sequences[0, ids.shape[1] :] if decoder else out.sequences[0, :-1]
    return torch.cat(out.logits).float().cpu(), text.cpu()
