"""The same text in any encoding gives the same bytes in the version; doubt and damage are said."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.datasets.readers import encoding, lines
from tests.backend.datasets.imports import items, run
from tests.backend.datasets.stored import records_of

CHINESE = [
    ("你好，请问我的订单什么时候能到？", "您好，您的订单预计明天送达，请保持电话畅通。"),
    ("怎么退货？我买的苹果手机壳颜色不对。", "请在“我的订单”里点击“申请退货”，并填写原因。"),
    ("量子计算机和普通计算机有什么区别？", "它利用量子叠加处理信息，English words 也能写在中间。"),
    ("把“今天天气很好”翻译成英文", "The weather is nice today.\nIt really is."),
]
TAIWANESE = [
    ("您好，請問我的訂單什麼時候會到？", "您好，您的訂單預計明天送達，請保持電話暢通。"),
    ("要怎麼退貨？我買的手機殼顏色不對。", "請在「我的訂單」點選「申請退貨」，並填寫原因。"),
    ("請推薦臺北的餐廳", "牛肉麵很有名，English 也可以寫在中間。\n歡迎再來。"),
]
JAPANESE = [
    ("こんにちは、注文した商品はいつ届きますか。", "明日お届けする予定です。少々お待ちください。"),
    ("人工知能とは何ですか？", "コンピューターに学習させる技術です。英語の English も入ります。"),
    (
        "返品の方法を教えてください",
        "マイページの「注文履歴」から手続きをお願いいたします。\n〜以上〜",
    ),
]
KOREAN = [
    ("안녕하세요, 주문한 상품은 언제 도착하나요?", "내일 도착할 예정입니다. 잠시만 기다려 주세요."),
    ("인공지능이란 무엇인가요?", "컴퓨터가 배우는 기술입니다. English도 섞어 씁니다."),
    ("반품하려면 어떻게 해야 합니까?", "‘내 주문’에서 반품을 신청하시면 됩니다.\n감사합니다."),
]
MIXED = [(a[0], b[0]) for a, b in zip(CHINESE, JAPANESE + KOREAN[:1], strict=True)]
TEXTS = {
    **{"gb18030": [*CHINESE, *MIXED], "gbk": CHINESE, "big5": TAIWANESE, "cp950": TAIWANESE},
    **{"shift_jis": JAPANESE, "cp932": [("①の品は髙島屋で", "はい、そうです。"), *JAPANESE[:2]]},
    **{"euc_kr": KOREAN, "cp949": [("떡볶이와 뷁, 똠방각하", "맛있어요!"), *KOREAN]},
}
WIDE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030")
EVERYTHING = [*CHINESE, *TAIWANESE, *JAPANESE, *KOREAN, ("Größe 😀?", "é𠮷")]
CASES = [*TEXTS.items(), *((codec, EVERYTHING) for codec in WIDE)]


def _as_file(kind: str, rows: list[tuple[str, str]]) -> str:
    made = [{"prompt": question, "completion": answer} for question, answer in rows]
    if kind == "jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made)
    if kind == "json":
        return json.dumps({"version": 1, "rows": made}, ensure_ascii=False, indent=2)
    if kind == "txt":
        return "\n\n".join(f"{question}\n{answer}" for question, answer in rows)
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter="\t" if kind == "tsv" else ",")
    writer.writerows([("prompt", "completion"), *rows])
    return buffer.getvalue()


def _imported(folder: Path, kind: str, content: bytes, **how: Any) -> dict[str, Any]:
    folder.mkdir()
    summary = run(folder, f"rows.{kind}", content, **how)
    assert summary["status"] == "ready", summary["error"]
    return summary


@pytest.mark.parametrize("kind", ["json", "jsonl", "csv", "tsv", "txt"])
@pytest.mark.parametrize(("codec", "rows"), CASES, ids=[codec for codec, _ in CASES])
def test_twins_have_the_same_hash(
    tmp_path: Path, codec: str, rows: list[tuple[str, str]], kind: str
) -> None:
    content = _as_file(kind, rows)
    twin = _imported(tmp_path / "utf8", kind, content.encode("utf-8"))
    assert twin["num_rows"] == len(rows)
    found = _imported(tmp_path / "twin", kind, content.encode(codec))
    assert found["sha256"] == twin["sha256"]
    assert found["counts"] == twin["counts"]
    # Its user may say so as well, under any name that is in use.
    said = _imported(tmp_path / "said", kind, content.encode(codec), options={"encoding": codec})
    assert said["sha256"] == twin["sha256"]
    assert said["options"] == {"encoding": codec}


@pytest.mark.parametrize("kind", ["json", "jsonl", "csv", "tsv", "txt"])
@pytest.mark.parametrize(("codec", "rows"), TEXTS.items(), ids=list(TEXTS))
def test_a_single_row_is_enough(
    tmp_path: Path, codec: str, rows: list[tuple[str, str]], kind: str
) -> None:
    for number, row in enumerate(rows):
        content = _as_file(kind, [row])
        twin = _imported(tmp_path / f"{number}a", kind, content.encode())
        found = _imported(tmp_path / f"{number}b", kind, content.encode(codec))
        assert found["sha256"] == twin["sha256"], (row, found["encoding"])


@pytest.mark.parametrize(
    ("codec", "word"),
    [
        *(("gb18030", word) for word in ("你好", "苹果", "北京", "退货", "张伟")),
        *(("big5", word) for word in ("您好", "蘋果", "台北", "退貨")),
        *(("shift_jis", word) for word in ("こんにちは", "りんご", "東京", "寿司")),
        *(("euc_kr", word) for word in ("안녕", "사과", "한국어", "떡볶이", "김철수")),
    ],
)
def test_a_word_is_recognised_or_doubted(tmp_path: Path, codec: str, word: str) -> None:
    path = tmp_path / "upload"
    path.write_bytes(word.encode(codec))
    found = encoding.detect(path)
    assert codec == found.name or codec in found.also
    if not found.also:
        assert path.read_bytes().decode(found.codec) == word


def test_stray_bytes_cost_their_row_and_change_no_letter(tmp_path: Path) -> None:
    rows = [b'{"prompt": "Question %d?", "completion": "An answer."}\n' % n for n in range(20)]
    rows[7] = b'{"prompt": "Question \xff\xfe?", "completion": "An answer."}\n'
    summary = run(tmp_path, "a.jsonl", b"".join(rows), max_dropped_rows=1)
    assert (summary["status"], summary["encoding"]) == ("ready", "utf-8")
    assert summary["counts"] == {"kept": 19, "repaired": 0, "truncated": 0, "dropped": 1}
    assert [(item["line"], item["rule"]) for item in items(tmp_path)] == [(8, "invalid_encoding")]


def test_doubt_is_said_in_the_facts(tmp_path: Path) -> None:
    summary = run(tmp_path, "a.txt", "啊".encode("gb18030"))
    assert summary["files"][0]["encoding_may_be"] == ["euc_kr"]
    assert "a guess" in summary["detected_because"]
    assert "euc_kr" in summary["detected_because"]


@pytest.mark.parametrize("name", ["klingon", "rot13", "utf-7", "idna", "hex", "unicode_escape", ""])
def test_encoding_that_is_not_known_is_refused_by_name(tmp_path: Path, name: str) -> None:
    content = '{"text": "x"}\n'
    summary = run(tmp_path, "a.jsonl", content, options={"encoding": name})
    if not name:
        assert summary["encoding"] == "utf-8"
        return
    assert summary["error"]["code"] == "unsupported_encoding"
    assert name in summary["error"]["message"]


def test_what_the_user_says_wins(tmp_path: Path) -> None:
    content = "text\nGrößer\n".encode("cp1252")
    summary = run(tmp_path, "a.csv", content, options={"encoding": "windows-1251"})
    assert summary["encoding"] == "cp1251"
    assert records_of(tmp_path / "out")[0]["text"] == content.decode("cp1251").split()[1]


@pytest.mark.parametrize("codec", ["gb18030", "big5", "shift_jis", "euc_kr", "utf-8"])
@pytest.mark.parametrize("kind", ["json", "jsonl", "csv", "tsv", "txt"])
def test_damage_costs_the_row_it_is_in(tmp_path: Path, codec: str, kind: str) -> None:
    rows = {"gb18030": CHINESE, "big5": TAIWANESE, "shift_jis": JAPANESE, "euc_kr": KOREAN}
    texts = [*rows.get(codec, KOREAN), ("HERE", "damage"), *rows.get(codec, KOREAN)]
    content = _as_file(kind, texts).encode(codec).replace(b"HERE", b"\xff\xff\xff")
    summary = run(tmp_path, f"a.{kind}", content, max_dropped_rows=1)
    assert summary["encoding"] == codec
    assert summary["counts"]["dropped"] == 1
    assert summary["num_rows"] == len(texts) - 1
    (item,) = items(tmp_path)
    assert item["rule"] == "invalid_encoding"
    before = _as_file(kind, texts).split("HERE")[0]
    first = before.count("\n") + 1 - (kind == "json")
    assert item["line"] == first


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf16_that_was_cut_or_damaged(tmp_path: Path, codec: str) -> None:
    good = '{"prompt": "你", "completion": "好"}\n'
    half = '{"prompt": "\ud800", "completion": "x"}\n'.encode(codec, "surrogatepass")
    content = good.encode(codec) + half + good.encode(codec) * 2
    summary = run(tmp_path, "a.jsonl", content[:-1], max_dropped_rows=2)
    assert summary["num_rows"] == 2
    assert [(i["line"], i["rule"]) for i in items(tmp_path)] == [
        (2, "invalid_encoding"),
        (4, "invalid_encoding"),
    ]


def test_utf16_without_any_ascii(tmp_path: Path) -> None:
    for number, codec in enumerate(("utf-16-le", "utf-16-be")):
        folder = tmp_path / str(number)
        folder.mkdir()
        summary = run(folder, "a.txt", (CHINESE[0][0] * 9).encode(codec))
        assert (summary["status"], summary["encoding"]) == ("ready", codec)


def test_long_lines_of_utf16_are_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_ROW_BYTES", 200)
    content = f'{{"text": "{"长" * 5000}"}}\n{{"text": "短"}}\n'
    summary = run(tmp_path, "a.jsonl", content.encode("utf-16"), max_dropped_rows=1)
    assert [(i["line"], i["rule"]) for i in items(tmp_path)] == [(1, "row_too_long")]
    assert summary["num_rows"] == 1


_PIECES = st.one_of(
    st.text(max_size=6).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from(
        [b"\xf0\x9f", b"\x80", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"]
    ),
)


@given(pieces=st.lists(_PIECES, max_size=5), size=st.integers(1, 9))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_utf8_is_proved_whatever_the_blocks_cut(
    tmp_path: Path, pieces: list[bytes], size: int
) -> None:
    content = b"".join(pieces)
    path = tmp_path / "text"
    path.write_bytes(content)
    try:
        content.decode()
    except UnicodeDecodeError:
        valid = False
    else:
        valid = True
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "CHUNK_BYTES", size)
        first_invalid = encoding._first_invalid(path, "utf-8", lambda: None)
    assert (first_invalid is None) is valid
