"""The chat template of record: what a conversation looks like to the model, turn by turn.

Templates are not asked to mark the assistant's turns. Each turn is found by rendering the
conversation up to it with the generation prompt (what the model is given) and with the turn (what
it is to answer). Where a template rewrites earlier turns (Qwen3 removes their thinking), the
conversation becomes several samples, so that every turn is learnt in the form it is generated in.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training_engine.contract.names import FailureCode
from training_engine.contract.records import Message
from training_engine.data.records import Row
from training_engine.data.samples import Rendered, Turn
from training_engine.data.tool_calls import PROBE, PROBE_TOOLS, CallForm, as_dict, form_of
from training_engine.failures import EngineFailure

QUESTION = Message(role="user", content="Hi")
OTHER_WORDS = "\ue000"  # a character that no answer begins with


class TemplateRefusal(Exception):
    """The template can not render this conversation; the text is the template's own reason."""


class ChatTemplate:
    """A tokenizer with the template that training and serving share."""

    def __init__(
        self,
        tokenizer: Any,
        template: str | None = None,
        *,
        required: bool = True,
        spare: str | None = None,
    ) -> None:
        """`template` replaces the tokenizer's own, `spare` stands in where there is none.

        Without any, raises `EngineFailure`, but objectives that read plain text do not require one.
        `foreign`: the text of one that the model does not bring along. Where a tokenizer has
        several by name, `default` is taken, and `tool_use` for conversations with tools, as
        transformers does.
        """
        self.tokenizer = tokenizer
        self.foreign = template or (None if tokenizer.chat_template else spare)
        named = _by_name(self.foreign or tokenizer.chat_template)
        self.template = named.get("default")
        self.tool_template = named.get("tool_use", self.template)
        self._call_forms: dict[bool, CallForm] = {}
        if required and named and not self.template:
            raise EngineFailure(
                FailureCode.BAD_SPEC,
                f"The model has several chat templates ({', '.join(sorted(named))}), and none of "
                "them is the default.",
                "Give the chat template that is to be used with the run.",
            )
        if required and not self.template:
            raise EngineFailure(
                FailureCode.BAD_SPEC,
                "The model has no chat template, so conversations have no form it could learn.",
                "Choose an instruction-tuned model, or give a chat template with the run.",
            )

    def render(
        self,
        messages: Sequence[Message],
        tools: list[dict[str, Any]] | None = None,
        *,
        generation_prompt: bool = False,
    ) -> str:
        """The text of a conversation; raises `TemplateRefusal`."""
        calls = any(message.tool_calls for message in messages)
        form = self._call_form(tools=bool(tools)) if calls else CallForm.OBJECT
        turns = [as_dict(message, form) for message in messages]
        return self._written(turns, tools, generation_prompt=generation_prompt)

    def _written(
        self,
        turns: list[dict[str, Any]],
        tools: list[dict[str, Any]] | None,
        *,
        generation_prompt: bool = False,
    ) -> str:
        from jinja2 import TemplateError

        try:
            text: str = self.tokenizer.apply_chat_template(
                turns,
                tools=tools,
                chat_template=self.tool_template if tools else self.template,
                add_generation_prompt=generation_prompt,
                tokenize=False,
            )
        # Templates are programs of others: they index, add and compare what may be missing.
        except (TemplateError, TypeError, ValueError, KeyError, IndexError) as error:
            raise TemplateRefusal(str(error) or type(error).__name__) from error
        return text

    def _call_form(self, *, tools: bool) -> CallForm:
        """How tool calls are given to the template for conversations with or without `tools`."""

        def written(form: CallForm) -> str | None:
            turns = [as_dict(message, form) for message in PROBE]
            try:
                return self._written(turns, PROBE_TOOLS if tools else None)
            except TemplateRefusal:
                return None

        if tools not in self._call_forms:
            self._call_forms[tools] = form_of(written)
        return self._call_forms[tools]

    def prompt_ids(
        self, messages: Sequence[Message], tools: list[dict[str, Any]] | None = None
    ) -> list[int]:
        """What the model is given before it answers."""
        text = self.render(messages, tools, generation_prompt=True)
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def learning_last(self, row: Row, answer: Sequence[Message]) -> Rendered:
        """The row's conversation continued by `answer`, of which alone is learnt.

        Raises `TemplateRefusal`.
        """
        before = [m.model_copy(update={"train": False}) for m in row.messages]
        found = self.samples(row._replace(messages=[*before, *answer]))
        if len(found) != 1:
            raise TemplateRefusal("it rewrites earlier turns, and this answer has several")
        return found[0]

    def samples(self, row: Row) -> list[Rendered]:
        """The conversation as one sample, or several where the template rewrites history."""
        open_turns = _open_turns(row)
        found: list[Rendered] = []
        cuts = {i: self._cut(row, i) for i in open_turns}
        unlearnt = open_turns[:1] == [0] and not cuts[0].turns
        if unlearnt and not open_turns[1:]:
            raise TemplateRefusal(
                "it writes an answer that comes first unlike one that follows a question, "
                "so the answer can not be told from what comes before it"
            )
        open_turns = open_turns[unlearnt:]
        while open_turns:
            whole = cuts[open_turns[-1]].text
            rest: list[int] = []
            sample = Rendered(whole, first_unlearnt=unlearnt)
            for i in open_turns:
                cut = cuts[i]
                if whole.startswith(cut.text.rstrip()):
                    sample.turns += cut.turns
                    sample.prompt_differs |= cut.prompt_differs
                else:
                    rest.append(i)
            found.append(sample)
            open_turns = rest
        return found[::-1]

    def _cut(self, row: Row, turn: int) -> Rendered:
        """The conversation up to an assistant's turn, with that turn marked."""
        try:
            until = self.render(row.messages[: turn + 1], row.tools)
        except TemplateRefusal:
            if turn or _open_turns(row) == [0]:
                raise
            return Rendered("")  # a template may want a question, and the others are learnt
        self._require_calls(row, turn, until)
        found = self._answered(row, turn, until) if turn else self._begun(row, until)
        _require_words(row.messages[turn], found)
        return found

    def _answered(self, row: Row, turn: int, until: str) -> Rendered:
        """`until` with the turn marked: what follows the prompt that asks for it."""
        prompt = self.render(row.messages[:turn], row.tools, generation_prompt=True)
        if until.startswith(prompt):
            return Rendered(until, [Turn(len(prompt), len(until))])
        # Where the prompt goes on, the answer may happen to begin with the same characters.
        other = self._other_words(row, turn)
        start = min(_common_length(prompt, until), _common_length(other, until))
        if start < len(self.render(row.messages[:turn], row.tools).rstrip()):
            raise TemplateRefusal(
                "it renders a conversation differently once the answer is known, "
                "so the answer can not be told from what comes before it"
            )
        return Rendered(until, [Turn(start, len(until))], prompt_differs=True)

    def _begun(self, row: Row, until: str) -> Rendered:
        """`until` with the first turn marked, an answer to nothing; unmarked where it is not found.

        No prompt leads to it, and the template may put a system prompt of its own before it. What
        is before the first character that another answer would change is not the answer's. Of
        that, the last words that come between a question and its answer are the header; what
        follows them is learnt, as it is in every other turn.
        """
        asked = row._replace(messages=[QUESTION, row.messages[0]])
        try:
            words = _common_length(until, self._other_words(row, 0))
            question = self.render([QUESTION], row.tools)
            usual = self._answered(asked, 1, self._other_words(asked, 1))
        except TemplateRefusal:
            return Rendered(until)
        between = usual.text[_common_length(question, usual.text) : usual.turns[0].start]
        header = between.lstrip()
        place = until.rfind(header, 0, words)
        if place < 0:
            return Rendered(until)
        turn = Turn(place + len(header), len(until))
        return Rendered(until, [turn], usual.prompt_differs)

    def _other_words(self, row: Row, turn: int) -> str:
        """The conversation up to an assistant's turn as if that turn said something else."""
        other = row.messages[turn].model_copy(update={"content": OTHER_WORDS})
        return self.render([*row.messages[:turn], other], row.tools)

    def _require_calls(self, row: Row, turn: int, until: str) -> None:
        """Raise `TemplateRefusal` when the turn calls tools and its text `until` does not say so.

        A template that knows no tools leaves the calls out without a word, and the turn would be
        learnt as an empty answer.
        """
        message = row.messages[turn]
        if not message.tool_calls:
            return
        silent = message.model_copy(update={"tool_calls": None})
        try:
            without = self.render([*row.messages[:turn], silent], row.tools)
        except TemplateRefusal:  # it can not do without them, so it reads them
            return
        if without == until:
            raise TemplateRefusal(
                "it does not write tool calls, so these answers would be learnt without them"
            )


def _open_turns(row: Row) -> list[int]:
    """The turns that are to be learnt."""
    return [i for i, m in enumerate(row.messages) if m.role == "assistant" and m.train is not False]


def _require_words(message: Message, found: Rendered) -> None:
    """Raise `TemplateRefusal` when the turn's text in `found` leaves out what the turn says.

    Templates drop the reasoning of earlier turns, which are learnt in samples of their own; some
    drop that of the last turn too. Those of models that see read no plain text at all. White space
    and the tags are the template's to change, and whether words stand beside a call.
    """
    reasoned, _, said = message.content.rpartition("</think>")
    for turn in found.turns:
        learnt = _squeezed(found.text[turn.start : turn.end])
        if not message.tool_calls and _squeezed(said) not in learnt:
            raise TemplateRefusal(
                "it leaves out what answers say, so nothing of them would be learnt: give a chat "
                "template for texts"
            )
        if not all(_squeezed(part) in learnt for part in re.split("</?think>", reasoned)):
            raise TemplateRefusal(
                "it leaves out the reasoning of answers (what is before </think>), so they would "
                "be learnt without it: give a chat template that writes the reasoning, or remove "
                "it from these rows"
            )


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _by_name(given: Any) -> dict[str, str]:
    """Templates by name, from what tokenizers keep: one text, or several in either form."""
    if not given:
        return {}
    if isinstance(given, str):
        return {"default": given}
    if isinstance(given, dict):
        return given
    return {each["name"]: each["template"] for each in given}


def _common_length(a: str, b: str) -> int:
    """How many characters two texts begin with in common."""
    return next(
        (i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
    )


def terminators(tokenizer: Any, model_dir: Path) -> set[int]:
    """Every token that ends an answer when it is generated, as the model's files declare it."""
    found = {tokenizer.eos_token_id}
    for name in ("generation_config.json", "config.json"):
        path = model_dir / name
        declared = json.loads(path.read_text()).get("eos_token_id") if path.is_file() else None
        found |= set(declared) if isinstance(declared, list) else {declared}
    return {token for token in found if isinstance(token, int)}
