"""Messages to the outside: complete in both languages, on one line each, harmless."""

from typing import Any

import pytest

from backend.ids import new_id
from backend.notices import texts, words_en, words_zh_cn
from backend.notices.kinds import LEVELS, Language, NoticeKind, SubjectType
from backend.notices.tables import NoticeRow
from training_engine.contract.names import FailureCode


def notice(kind: NoticeKind, name: str = "support-bot", **params: Any) -> NoticeRow:
    return NoticeRow(
        id=new_id(),
        kind=kind,
        level=LEVELS[kind],
        subject_type=SubjectType(kind.partition("_")[0]),
        subject_id=new_id(),
        subject_name=name,
        params=params,
    )


@pytest.mark.parametrize("words", [words_en, words_zh_cn])
def test_every_kind_has_a_title_and_a_next_step(words: Any) -> None:
    assert set(words.TITLES) == set(words.NEXT) == set(NoticeKind)


def test_every_failure_of_a_run_has_chinese_words() -> None:
    codes = {code.value for code in FailureCode}
    assert codes <= set(words_zh_cn.CODES)
    assert codes <= set(words_zh_cn.HINTS)


@pytest.mark.parametrize("kind", list(NoticeKind))
@pytest.mark.parametrize("language", list(Language))
def test_every_message_is_whole(kind: NoticeKind, language: Language) -> None:
    told = texts.text_of(notice(kind), language, "https://easytune.example")
    assert "support-bot" in told.title
    assert told.body.splitlines()[-1] == told.link
    assert len(told.body.splitlines()) >= 2
    assert "{" not in told.title + told.body


def test_figures() -> None:
    done = notice(NoticeKind.TASK_COMPLETED, duration_s=3840.0, loss=1.41421)
    english = texts.text_of(done, Language.ENGLISH, None)
    assert english.body.splitlines()[0] == "It took 1 h 04 min. The last loss is 1.414."
    assert english.link is None
    chinese = texts.text_of(done, Language.CHINESE, None)
    assert chinese.body.splitlines()[0] == "用时 1 小时 4 分钟。 最后的损失为 1.414。"
    odd = notice(NoticeKind.TASK_COMPLETED, duration_s=None, loss=float("nan"))
    assert texts.text_of(odd, Language.ENGLISH, None).body == words_en.NEXT[odd.kind]


def test_an_error_without_chinese_words_keeps_the_servers() -> None:
    error = {"code": "odd", "message": "The file is odd.", "hint": "", "params": {}}
    failed = notice(NoticeKind.DATASET_FAILED, error=error)
    assert texts.text_of(failed, Language.CHINESE, None).body.splitlines() == [
        "服务器原文：The file is odd.",
        words_zh_cn.NEXT[NoticeKind.DATASET_FAILED],
    ]


def test_a_name_rings_nobody_and_breaks_no_line() -> None:
    name = "@everyone <!channel>\r\nBcc: a@b.example\x00\u202e" + "x" * 500
    title = texts.text_of(notice(NoticeKind.TASK_FAILED, name), Language.ENGLISH, None).title
    assert title.isprintable()
    assert len(title) < 200
    assert not set("@<>") & set(title)
