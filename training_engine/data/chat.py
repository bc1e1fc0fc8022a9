"""The chat template of record: what a conversation looks like to the model, turn by turn.

Templates are not asked to mark the assistant's turns. Each turn is found by rendering the
conversation up to it with the generation prompt (what the model is given) and with the turn (what
it is to answer). Where a template rewrites earlier turns (Qwen3 removes their thinking), the
conversation becomes several samples, so that every turn is learnt in the form it is generated in.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training_engine.contract.names import FailureCode
from training_engine.contract.records import Message
from training_engine.data.records import Row
from training_engine.data.samples import Rendered, Turn
from training_engine.failures import EngineFailure


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
        from jinja2 import TemplateError

        try:
            text: str = self.tokenizer.apply_chat_template(
                [_as_dict(message) for message in messages],
                tools=tools,
                chat_template=self.tool_template if tools else self.template,
                add_generation_prompt=generation_prompt,
                tokenize=False,
            )
        # Templates are programs of others: they index, add and compare what may be missing.
        except (TemplateError, TypeError, ValueError, KeyError, IndexError) as error:
            raise TemplateRefusal(str(error) or type(error).__name__) from error
        return text

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
        open_turns = [
            i for i, m in enumerate(row.messages) if m.role == "assistant" and m.train is not False
        ]
        found: list[Rendered] = []
        cuts = {i: self._cut(row, i) for i in open_turns}
        while open_turns:
            whole = cuts[open_turns[-1]].text
            rest: list[int] = []
            sample = Rendered(whole)
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
        until = self.render(row.messages[: turn + 1], row.tools)
        self._require_calls(row, turn, until)
        prompt = self._render_before(row, turn, generation_prompt=True)
        if until.startswith(prompt):
            return Rendered(until, [Turn(len(prompt), len(until))])
        start = _common_length(prompt, until)
        if start < len(self._render_before(row, turn).rstrip()):
            raise TemplateRefusal(
                "it renders a conversation differently once the answer is known, "
                "so the answer can not be told from what comes before it"
            )
        return Rendered(until, [Turn(start, len(until))], prompt_differs=True)

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

    def _render_before(self, row: Row, turn: int, *, generation_prompt: bool = False) -> str:
        if turn == 0:  # nothing comes before; templates need not bear an empty conversation
            return ""
        return self.render(row.messages[:turn], row.tools, generation_prompt=generation_prompt)


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


def _as_dict(message: Message) -> dict[str, Any]:
    """What templates expect; arguments of tool calls as objects, not as JSON text."""
    turn: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.name:
        turn["name"] = message.name
    if message.tool_call_id:
        turn["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        turn["tool_calls"] = [_parsed_call(call) for call in message.tool_calls]
    return turn


def _parsed_call(call: dict[str, Any]) -> dict[str, Any]:
    function = call.get("function")
    if not isinstance(function, dict) or not isinstance(function.get("arguments"), str):
        return call
    try:
        arguments = json.loads(function["arguments"])
    except ValueError:
        return call
    return {**call, "function": {**function, "arguments": arguments}}
