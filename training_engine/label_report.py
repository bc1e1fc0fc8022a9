"""Says how labels were understood, and what about them makes a poor classifier."""

import torch
from torch import Tensor

from training_engine.contract.choices import LabelKind
from training_engine.data.encode import EncodedSet
from training_engine.data.reading import Reading
from training_engine.events import Reporter
from training_engine.objectives.labels import Labels

SHOWN_NAMES = 10
# More classes than this share of the rows: hardly two rows are alike.
MOST_OF_THEIR_OWN = 0.5
# The commonest class against the rarest.
UNBALANCED = 20


def tell(reporter: Reporter, train: EncodedSet, reading: Reading) -> None:
    """Notices about labels and judgements of the rows that are learnt; none where none exist."""
    classes = getattr(reading, "classes", None)
    if isinstance(classes, Labels):
        _tell_classes(reporter, train, classes)
    elif train.labels is not None and bool((train.labels == train.labels[0]).all()):
        judged = "good" if train.labels[0] > 0.5 else "bad"
        reporter.notice(
            "warning",
            "judged_alike",
            f"Every answer is judged {judged}: the model is not shown what sets good and bad "
            "answers apart. Add rows that are judged the other way.",
            judged=judged,
        )
    if train.form.borrowed and _asks_the_same(train):
        reporter.notice(
            "warning",
            "one_question",
            "All answers belong to the same question, and this objective compares them with "
            "answers to other questions: those of the other rows stand in for them. Add rows with "
            "other questions.",
        )


def _asks_the_same(train: EncodedSet) -> bool:
    """Whether all samples begin with the same tokens up to what is learnt."""

    def asked(sample: int) -> Tensor:
        sequence = train.sequences(sample)[0]
        learnt = train.trained[train.bounds[sequence] : train.bounds[sequence + 1]]
        return train.text(sequence)[: int(learnt.int().argmax())]

    first = asked(0)
    return all(torch.equal(asked(sample), first) for sample in range(1, len(train)))


def _tell_classes(reporter: Reporter, train: EncodedSet, classes: Labels) -> None:
    names = ", ".join(name[:40] for name in classes.names[:SHOWN_NAMES])
    more = ", …" if classes.count > SHOWN_NAMES else ""
    own = classes.kind is LabelKind.SINGLE and classes.count > MOST_OF_THEIR_OWN * len(train)
    what = {
        LabelKind.REGRESSION: "a number for each text",
        LabelKind.MULTI: f"any of {classes.count} classes for each text: {names}{more}",
    }.get(classes.kind, f"one of {classes.count} classes for each text: {names}{more}")
    doubt = (
        " Hardly two rows share a class: if these are no classes, choose another label column or "
        "label_kind."
    )
    reporter.notice(
        "warning" if own else "info",
        "labels_read",
        f"The labels were read as {what}.{doubt if own else ''}",
        kind=classes.kind,
        classes=classes.count,
        names=names,
    )
    if classes.kind is LabelKind.REGRESSION or train.labels is None or own:
        return
    labels = train.labels
    counts = (
        labels.sum(dim=0)
        if classes.kind is LabelKind.MULTI
        else labels.long().bincount(minlength=classes.count)
    )
    fewest, most = int(counts.min()), int(counts.max())
    if most < UNBALANCED * max(1, fewest) and fewest > 0:
        return
    rarest = classes.names[int(counts.argmin())]
    reporter.notice(
        "warning",
        "classes_unbalanced",
        f"The classes are very unequal: “{classes.names[int(counts.argmax())]}” has {most} rows to "
        f"learn from, “{rarest}” {fewest}. Accuracy will look better than the classifier is: watch "
        "F1, or add rows of the rare classes.",
        most=most,
        fewest=fewest,
        rarest=rarest,
    )
