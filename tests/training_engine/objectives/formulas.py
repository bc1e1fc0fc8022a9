"""Losses as the papers write them, from stock logits of each sequence by itself.

Nothing of the engine computes here: the sequences alone are its own.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from training_engine.data.encode import EncodedSet

Pair = tuple[Tensor, Tensor]


def tokens(data: EncodedSet, sequence: int) -> Tensor:
    """Ids of a sequence, [1, n]."""
    return data.tokens[data.bounds[sequence] : data.bounds[sequence + 1]].long()[None]


def log_probs(model: Any, data: EncodedSet, sequence: int) -> Tensor:
    """log p of every word at every trained place of a sequence of a decoder, [k, v]."""
    begin, end = data.bounds[sequence], data.bounds[sequence + 1]
    logits = model(input_ids=tokens(data, sequence)).logits[0, :-1]
    return torch.log_softmax(logits.float(), dim=-1)[data.trained[begin + 1 : end]]


def wanted(data: EncodedSet, sequence: int) -> Tensor:
    """The trained tokens of a sequence, [k]."""
    begin, end = data.bounds[sequence], data.bounds[sequence + 1]
    return data.tokens[begin + 1 : end][data.trained[begin + 1 : end]].long()


def answer(model: Any, data: EncodedSet, sequence: int) -> Tensor:
    """log p of each trained token, [k]."""
    each = log_probs(model, data, sequence)
    return each[torch.arange(len(each)), wanted(data, sequence)]


def smoothed(each: Tensor, target: Tensor, smoothing: float) -> Tensor:
    """Cross-entropy with a share of the certainty spread over all words, summed."""
    right = each[torch.arange(len(each)), target]
    return -((1 - smoothing) * right + smoothing * each.mean(dim=1)).sum()


def next_token(model: Any, data: EncodedSet, smoothing: float) -> Tensor:
    """SFT and pre-training: the mean over all trained tokens."""
    count = sum(len(wanted(data, sample)) for sample in range(len(data)))
    losses = [
        smoothed(log_probs(model, data, sample), wanted(data, sample), smoothing)
        for sample in range(len(data))
    ]
    return torch.stack(losses).sum() / count


def translation(model: Any, data: EncodedSet, smoothing: float) -> Tensor:
    """Sequence to sequence: the mean over all tokens of the targets."""
    losses, count = [], 0
    for sample in range(len(data)):
        source, target = (tokens(data, sequence) for sequence in data.sequences(sample))
        logits = model(input_ids=source, labels=target).logits[0]
        losses.append(smoothed(torch.log_softmax(logits, dim=-1), target[0], smoothing))
        count += target.shape[1]
    return torch.stack(losses).sum() / count


def classification(model: Any, data: EncodedSet, smoothing: float) -> Tensor:
    """Cross-entropy, binary cross-entropy of each class, or squared error: means over texts."""
    assert data.labels is not None
    losses = []
    for sample in range(len(data)):
        scores, label = model(input_ids=tokens(data, sample)).logits[0], data.labels[sample]
        kind = model.config.problem_type
        if kind == "regression":
            losses.append((scores[0] - label) ** 2)
        elif kind == "multi_label_classification":
            goal = label * (1 - smoothing) + smoothing / 2
            p = torch.sigmoid(scores)
            losses.append(-(goal * p.log() + (1 - goal) * (1 - p).log()).mean())
        else:
            each = torch.log_softmax(scores, dim=0)[None]
            losses.append(smoothed(each, label.long()[None], smoothing))
    return torch.stack(losses).mean()


def reward(model: Any, data: EncodedSet) -> Tensor:
    """-log sigmoid(score of the chosen answer - score of the rejected one)."""
    losses = []
    for sample in range(len(data)):
        chosen, rejected = (
            model(input_ids=tokens(data, sequence)).logits[0, 0]
            for sequence in data.sequences(sample)
        )
        losses.append(-torch.log(torch.sigmoid(chosen - rejected)))
    return torch.stack(losses).mean()


def pairs(model: Any, data: EncodedSet) -> list[Pair]:
    """log p of the tokens of both answers of each sample."""
    return [
        tuple(answer(model, data, sequence) for sequence in data.sequences(sample))
        for sample in range(len(data))
    ]


def minus_log_sigmoid(x: Tensor) -> Tensor:
    return torch.log1p(torch.exp(-x))


def dpo(now: Sequence[Pair], before: Sequence[Pair], beta: float) -> Tensor:
    losses = [
        minus_log_sigmoid(beta * ((w.sum() - w0.sum()) - (r.sum() - r0.sum())))
        for (w, r), (w0, r0) in zip(now, before, strict=True)
    ]
    return torch.stack(losses).mean()


def ipo(now: Sequence[Pair], before: Sequence[Pair], beta: float) -> Tensor:
    losses = [
        ((w.mean() - w0.mean()) - (r.mean() - r0.mean()) - 1 / (2 * beta)) ** 2
        for (w, r), (w0, r0) in zip(now, before, strict=True)
    ]
    return torch.stack(losses).mean()


def orpo(now: Sequence[Pair], weight: float) -> Tensor:
    def odds(log_p: Tensor) -> Tensor:
        p = log_p.mean().exp()
        return p / (1 - p)

    preference = [minus_log_sigmoid(torch.log(odds(w) / odds(r))) for w, r in now]
    words = torch.cat([w for w, _ in now])
    return -words.mean() + weight * torch.stack(preference).mean()


def simpo(now: Sequence[Pair], beta: float, gamma_share: float) -> Tensor:
    gamma = gamma_share * beta
    losses = [minus_log_sigmoid(beta * w.mean() - beta * r.mean() - gamma) for w, r in now]
    return torch.stack(losses).mean()


def cpo(now: Sequence[Pair], beta: float, alpha: float) -> Tensor:
    preference = [minus_log_sigmoid(beta * (w.sum() - r.sum())) for w, r in now]
    words = torch.cat([w for w, _ in now])
    return torch.stack(preference).mean() - alpha * words.mean()


def kto(
    now: Sequence[Pair],
    before: Sequence[Pair],
    labels: Tensor,
    beta: float,
    weights: tuple[float, float],
) -> Tensor:
    """`weights` of good and of bad answers; z0 is measured without a gradient."""
    moved = [
        float((other.sum() - other0.sum()).detach())
        for (_, other), (_, other0) in zip(now, before, strict=True)
    ]
    z0 = max(0.0, math.fsum(moved) / len(moved))
    losses = []
    for (own, _), (own0, _), good in zip(now, before, labels > 0.5, strict=True):
        r = own.sum() - own0.sum()
        sign, weight = (1, weights[0]) if good else (-1, weights[1])
        losses.append(weight * (1 - torch.sigmoid(beta * sign * (r - z0))))
    return torch.stack(losses).mean()


def gradients(model: nn.Module) -> dict[str, Tensor]:
    """By name; tied ones once."""
    return {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
