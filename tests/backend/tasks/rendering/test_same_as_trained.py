"""The token view and the training engine, asked about the same rows: token for token."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from backend.accounts.tables import UserRow
from backend.database import SessionFactory
from backend.datasets.files import records_file
from backend.ids import new_id
from backend.settings import PROJECT_ROOT, Settings
from tests.backend.tasks.rendering.stored import chat, keep, make_model
from tests.backend.tasks.rendering.trained import shown, trained
from tests.tiny_model import CHATML, build_tiny_model
from tests.training_engine.data import templates
from tests.training_engine.objectives.models import build_tiny_bert, build_tiny_t5
from tests.training_engine.objectives.rows import RECORD_TYPES
from training_engine.contract.choices import Objective
from training_engine.failures import EngineFailure

Compare = Callable[..., Awaitable[dict[str, int]]]
OFTEN = examples(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
BUILDS = {
    Objective.CLASSIFY: (build_tiny_bert, "BertModel"),
    Objective.REWARD: (build_tiny_bert, "BertModel"),
    Objective.SEQ2SEQ: (build_tiny_t5, "T5ForConditionalGeneration"),
}
TEMPLATES = {
    "chatml": CHATML,
    "adds_a_system_prompt": templates.DEFAULT_SYSTEM,
    "trims": templates.LLAMA_3,
    "strict_turns": templates.MISTRAL,
    "strips_thinking_from_history": templates.THINKING,
    "opens_thinking": templates.OPENED,
    "never_ends_a_turn": templates.ENDLESS,
    "writes_tools": templates.TOOLS,
    "wants_a_question": templates.QUESTION_NEEDED,
}


@pytest.fixture
def compare(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
    tmp_path: Path,
) -> Compare:
    """`await compare(objective, records)`: asks both; returns how many rows of which kind."""

    async def ask(
        objective: Objective,
        records: list[dict[str, Any]],
        template: str = CHATML,
        build: Any = None,
        chat_template: str | None = None,
        **knobs: int,
    ) -> dict[str, int]:
        builds = BUILDS.get(objective, (build_tiny_model, "LlamaForCausalLM"))
        model, folder = await make_model(
            sessions, settings, template, build or builds[0], architecture=builds[1]
        )
        kind = RECORD_TYPES.get(objective, "preference")
        data = await keep(sessions, settings, administrator.id, records, kind)
        params: dict[str, Any] = {"model_id": str(model.id), "objective": objective.value, **knobs}
        if chat_template is not None:
            params["chat_template"] = chat_template
        answer = await client.get(
            f"/api/v1/datasets/{data.id}/tokens", params={**params, "limit": 50}, timeout=120
        )
        assert answer.status_code == 200, answer.text
        view = answer.json()
        assert len(view["items"]) == len(records)

        def learn(kept: list[dict[str, Any]], file: Path | None = None) -> Any:
            path = file or tmp_path / f"{new_id()}.jsonl"
            if file is None:
                path.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in kept))
            run_dir = tmp_path / str(new_id())
            return trained(run_dir, path, folder, objective, knobs, chat_template)

        numbered = [{**each, "meta": {"line": i + 1}} for i, each in enumerate(records)]
        good = [row for row, item in zip(numbered, view["items"], strict=True) if not item["error"]]
        found = {"good": len(good), "refused": len(records) - len(good), "cut": 0, "several": 0}
        if good:
            whole = len(good) == len(records)
            engine = learn(good, records_file(settings, data.id, 1) if whole else None)
        for item in view["items"]:
            if item["error"]:
                with pytest.raises(EngineFailure) as refusal:
                    learn([*good, numbered[item["index"]]])
                assert item["error"]["message"] == refusal.value.message
                assert item["error"]["hint"] == refusal.value.hint
                assert item["samples"] == []
                continue
            seen = [shown(each, reads_whole=view["reads_whole"]) for each in item["samples"]]
            assert seen == engine[item["line"]], f"row {item['index']}: {records[item['index']]}"
            assert item["num_samples"] == len(seen)
            found["cut"] += any(sample["truncated"] for sample in item["samples"])
            found["several"] += len(seen) > 1
        return found

    return ask


# Ends of turns inside of turns, broken characters, thoughts, nothing at all.
words = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
    st.sampled_from(
        [
            "", " ", "\n", "  two\n\nlines  ", "a<|im_end|>b", "<|endoftext|>", "é 😀", "中文",
            "<think>\nhm\n</think>\n\nyes", "</think>", "x" * 90, "{{ messages }}",
        ]
    ),
)  # fmt: skip
CALL = {"type": "function", "id": "c1", "function": {"name": "sky", "arguments": '{"city":"Rome"}'}}
TOOL = {"type": "function", "function": {"name": "sky", "parameters": {"type": "object"}}}


@st.composite
def conversations(draw: st.DrawFn) -> dict[str, Any]:
    """Mostly as they should be; with switched-off turns, tools, and answers that come first."""
    found = chat(
        *draw(st.lists(words, min_size=2, max_size=6)),
        system=draw(st.one_of(st.none(), words)),
    )
    turns = found["messages"]
    for turn in turns:
        if turn["role"] == "assistant" and draw(st.integers(0, 5)) == 0:
            turn["train"] = draw(st.booleans())
    if draw(st.integers(0, 4)) == 0:
        found["tools"] = [TOOL]
        turns.insert(-1, {"role": "assistant", "content": "", "tool_calls": [CALL]})
        turns.insert(-1, {"role": "tool", "content": draw(words), "tool_call_id": "c1"})
    if draw(st.integers(0, 9)) == 0:
        del turns[0]
    return found


rows = st.lists(conversations(), min_size=6, max_size=10)


@OFTEN
@given(records=rows, max_length=st.sampled_from([60, 200, 4096]))
async def test_conversations(
    compare: Compare, records: list[dict[str, Any]], max_length: int
) -> None:
    for template in TEMPLATES.values():  # in one test: a worker takes seconds to start
        await compare(Objective.SFT, records, template, max_length=max_length)


@st.composite
def pairs(draw: st.DrawFn) -> dict[str, Any]:
    found = draw(conversations())
    asked = [turn for turn in found["messages"] if "tool_calls" not in turn][:-1] or [
        {"role": "user", "content": "Hi"}
    ]
    answers = [[{"role": "assistant", "content": draw(words)}] for _ in range(2)]
    return {"messages": asked, "chosen": answers[0], "rejected": answers[1]}


@OFTEN
@given(
    records=st.lists(pairs(), min_size=6, max_size=8), max_length=st.sampled_from([60, 128, 4096])
)
async def test_pairs(compare: Compare, records: list[dict[str, Any]], max_length: int) -> None:
    for objective in (Objective.DPO, Objective.ORPO, Objective.REWARD):
        for template in (CHATML, templates.DEFAULT_SYSTEM, templates.THINKING):
            await compare(objective, records, template, max_length=max_length)


@OFTEN
@given(
    records=st.lists(
        st.builds(lambda row, good: {**row, "label": good}, conversations(), st.booleans()),
        min_size=6,
        max_size=8,
    ),
    max_length=st.sampled_from([60, 200, 4096]),
)
async def test_judged_answers(
    compare: Compare, records: list[dict[str, Any]], max_length: int
) -> None:
    await compare(Objective.KTO, records, max_length=max_length)


@OFTEN
@given(
    records=st.lists(st.builds(lambda text: {"text": text}, words), min_size=6, max_size=8),
    max_length=st.sampled_from([16, 24, 4096]),
)
async def test_plain_text(compare: Compare, records: list[dict[str, Any]], max_length: int) -> None:
    await compare(Objective.PRETRAIN, records, max_length=max_length)


@OFTEN
@given(
    records=st.lists(
        st.builds(
            lambda text, label: {"text": text, "label": label},
            words,
            st.sampled_from(["good", "bad", "so so", ""]),
        ),
        max_size=6,
    ),
    max_length=st.sampled_from([16, 4096]),
)
async def test_labelled_texts(
    compare: Compare, records: list[dict[str, Any]], max_length: int
) -> None:
    both = [{"text": f"it is {label}", "label": label} for label in ("good", "bad")]
    await compare(Objective.CLASSIFY, [*both, *records], max_length=max_length)


@OFTEN
@given(records=rows, max_length=st.sampled_from([16, 200]), most=st.sampled_from([2, 20, 256]))
async def test_translations(
    compare: Compare, records: list[dict[str, Any]], max_length: int, most: int
) -> None:
    knobs = {"max_length": max_length, "max_target_length": most}
    await compare(Objective.SEQ2SEQ, records, **knobs)


def long_rows() -> list[dict[str, Any]]:
    return [
        chat("Hi", "there", "and now?", "b" * 200),
        chat("q" * 300, "cut away"),
        chat("Hi", "short"),
        chat("Hi", "there", system="s" * 40),
    ]


async def test_every_kind_of_row_was_compared(compare: Compare) -> None:
    """The comparison can see what it is for: rows cut, refused and rewritten."""
    found = await compare(Objective.SFT, long_rows(), max_length=120)
    assert found == {"good": 3, "refused": 1, "cut": 1, "several": 0}
    history = [chat("Hi", "<think>\na\n</think>\n\nb", "more", "<think>\nc\n</think>\n\nd")]
    found = await compare(Objective.SFT, history, templates.THINKING)
    assert found == {"good": 1, "refused": 0, "cut": 0, "several": 1}
    found = await compare(Objective.PRETRAIN, [{"text": "word " * 40}], max_length=32)
    assert found["several"] == 1


async def test_a_template_of_the_users(compare: Compare) -> None:
    records = [chat("Hi", "there"), chat("a", "b", "c", "d", system="Be brief.")]
    await compare(Objective.SFT, records, CHATML, chat_template=templates.DEFAULT_SYSTEM)


def example(line: dict[str, Any]) -> dict[str, Any]:
    if "messages" in line:
        return {"messages": line["messages"]}
    return chat(line["instruction"], line["output"])


async def test_examples(compare: Compare) -> None:
    for name in ("customer-service.jsonl", "domain-qa.jsonl"):
        lines = (PROJECT_ROOT / "examples" / name).read_text("utf-8").splitlines()[:50]
        records = [example(json.loads(line)) for line in lines]
        found = await compare(Objective.SFT, records, templates.DEFAULT_SYSTEM, max_length=512)
        assert found["good"] == len(records)
