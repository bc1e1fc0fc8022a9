"""Every kind of personal data and secret is found, and ordinary numbers are none of them."""

import json
import time

import polars as pl
import pytest

from backend.datasets.hygiene import excerpts, scan
from backend.settings import PROJECT_ROOT

KEY = "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5"
FOUND = [
    (
        "email",
        "Write to anna.berg+news@mail.firma-nord.de today.",
        "anna.berg+news@mail.firma-nord.de",
    ),
    ("email", "请发邮件到zhang.wei@qq.com，谢谢", "zhang.wei@qq.com"),
    ("email", "<bob_9@uni.ac.uk>", "bob_9@uni.ac.uk"),
    ("phone", "My number is +1 (415) 555-2671, thanks", "+1 (415) 555-2671"),
    ("phone", "Reach us: 415-555-2671.", "415-555-2671"),
    ("phone", "我的手机号是13812345678，请联系", "13812345678"),
    ("phone", "客服热线 010-65123456 全天", "010-65123456"),
    ("phone", "电话：138 1234 5678", "138 1234 5678"),
    ("phone", "電話 090-1234-5678 まで", "090-1234-5678"),
    ("phone", "전화 010-1234-5678", "010-1234-5678"),
    ("phone", "Ruf an: +49 30 901820 oder", "+49 30 901820"),
    ("phone", "Telefon 030 901820123", "030 901820123"),
    ("phone", "Appelez le 06 12 34 56 78 ce soir", "06 12 34 56 78"),
    ("phone", "Call me on 07911 123456", "07911 123456"),
    ("phone", "звоните +7 912 345-67-89", "+7 912 345-67-89"),
    ("phone", "手机：１３８１２３４５６７８", "１３８１２３４５６７８"),
    ("id_number", "身份证号11010519491231002X，住北京", "11010519491231002X"),
    ("id_number", "SSN 536-90-4399", "536-90-4399"),
    ("id_number", "주민등록번호 971013-9019902", "971013-9019902"),
    ("id_number", "身分證字號 A123456789", "A123456789"),
    ("id_number", "HKID: A123456(3)", "A123456(3)"),
    ("id_number", "CPF 390.533.447-05", "390.533.447-05"),
    ("id_number", "C.F. RCCMNL83S18D969H", "RCCMNL83S18D969H"),
    ("id_number", "CURP BOXW310820HNERXN09", "BOXW310820HNERXN09"),
    ("id_number", "DNI: 54362315K", "54362315K"),
    ("id_number", "NIE X2482300W", "X2482300W"),
    ("id_number", "Aadhaar 2341 2341 2346", "2341 2341 2346"),
    ("id_number", "PESEL 44051401359", "44051401359"),
    ("id_number", "Steuer-ID 36 574 261 809", "36 574 261 809"),
    ("id_number", "henkilötunnus 131052-308T", "131052-308T"),
    ("id_number", "n° 2 95 10 99 126 111 93", "2 95 10 99 126 111 93"),
    ("id_number", "NHS number 943 476 5870", "943 476 5870"),
    ("payment_card", "card 4111 1111 1111 1111 exp 09/28", "4111 1111 1111 1111"),
    ("payment_card", "卡号5500005555555559。", "5500005555555559"),
    ("payment_card", "Amex 3782 822463 10005", "3782 822463 10005"),
    ("payment_card", "银联 6221260000000000 号", "6221260000000000"),
    ("iban", "IBAN DE89 3704 0044 0532 0130 00 bitte", "DE89 3704 0044 0532 0130 00"),
    ("iban", "to GB82WEST12345698765432.", "GB82WEST12345698765432"),
    ("iban", "MT84 MALT 0110 0001 2345 MTLC AST0 01S", "MT84 MALT 0110 0001 2345 MTLC AST0 01S"),
    ("secret", "export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPL2", "AKIAIOSFODNN7EXAMPL2"),
    ("secret", f"token ghp_{KEY}", f"ghp_{KEY}"),
    ("secret", f"OPENAI sk-proj-{KEY}_x-{KEY}", f"sk-proj-{KEY}_x-{KEY}"),
    ("secret", f"sk-ant-api03-{KEY}", f"sk-ant-api03-{KEY}"),
    ("secret", f"login with hf_{KEY}", f"hf_{KEY}"),
    ("secret", "xoxb-123456789012-abcdefABCDEF123456", "xoxb-123456789012-abcdefABCDEF123456"),
    ("secret", 'password = "hT7#kq9!Zp2"', "hT7#kq9!Zp2"),
    ("secret", "API_KEY: 9f8e7d6c5b4a39281706f5e4d3c2b1a0", "9f8e7d6c5b4a39281706f5e4d3c2b1a0"),
    ("secret", "密码：Xk9$mP2qLw", "Xk9$mP2qLw"),
    ("secret", "postgres://admin:s3cr3tPa55@db.host/x", "admin:s3cr3tPa55"),
    (
        "secret",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0."
        "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0."
        "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    ),
]


def looks(text: str) -> list[scan.Span]:
    """As the examination does it: only what the fast look names is read exactly."""
    chosen = scan.candidates(pl.Series([text]))
    return scan.spans(text, chosen[0][1]) if chosen else []


@pytest.mark.parametrize(("finding", "text", "value"), FOUND)
def test_found(finding: str, text: str, value: str) -> None:
    spans = looks(text)
    assert [(s.finding, text[s.start : s.end]) for s in spans] == [(finding, value)]
    shown = excerpts.of(text, spans[0].start, spans[0].end)
    assert value not in shown
    assert value[4:] not in shown
    assert value[:2] in shown


def test_a_private_key_is_covered_as_a_whole() -> None:
    body = "\n".join(f"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC{n:032d}" for n in range(20))
    text = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\nand more"
    (span,) = looks(text)
    assert (span.finding, text[span.end :]) == ("secret", "\nand more")
    assert excerpts.of(text) == "----••• and more"


@pytest.mark.parametrize(
    "text",
    [
        "In 2023 there were 12345678901 stars and 4111111111111111 grains of sand + 1",
        "pi is 3.14159265358979323846 and e is 2.718281828459045",
        "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12",
        "2024-05-12 10:30:00 and 20240512103000 or 1715509800123",
        "订单号13812345678已发货",
        "Order 13812345678 has been shipped; 18600000000 atoms",
        "The ISBN is 978-3-16-148410-0, the IP 192.168.100.200, v1.2.3.4567",
        "UUID 123e4567-e89b-12d3-a456-426614174000, sha 9f86d081884c7d659a2feaa0c55ad015",
        "@anna said hi, see image@2x.png and git@github.com:x/y.git",
        "help@dibblewick.example is where to write",
        "Your password must have a digit; token: str = field(default=None)",
        "api_key = os.environ['OPENAI_API_KEY']; password = 'your_password_here1'",
        "secret: the cake was 12 years old, sk-learn-is-a-library-for-machine-learning-of-2007",
        "The phone has 8 GB; call it 3 times between 1990 and 2020.",
        "123456789 * 987654321 = 121932631112635269",
        "坐标 116.397128, 39.916527，面积 9600000 平方公里",
        "http://a.example/1234567890123456/4111111111111111",
        "",
    ],
)
def test_not_found(text: str) -> None:
    found = [(s.finding, text[s.start : s.end]) for s in looks(text)]
    # A number of a card in a sentence is one, whatever the sentence says.
    assert [f for f in found if f[1] != "4111111111111111"] == []


def test_the_examples_are_clean() -> None:
    texts = []
    for name in ("customer-service.jsonl", "domain-qa.jsonl", "preferences.jsonl"):
        for line in (PROJECT_ROOT / "examples" / name).read_text("utf-8").splitlines():
            texts += _strings(json.loads(line))
    chosen = scan.candidates(pl.Series(texts))
    assert [texts[row] for row, hints in chosen if scan.spans(texts[row], hints)] == []


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value
    return [text for part in inner for text in _strings(part)] if inner else []


def test_what_stands_beside_a_finding_is_covered_too() -> None:
    text = f"first anna@mail.org then +1 415 555 2671 {'and so on ' * 40}ghp_{KEY} end"
    for start, end in ((0, 0), (len(text) - 5, len(text)), (200, 210)):
        shown = excerpts.of(text, start, end)
        assert "anna@" not in shown
        assert "2671" not in shown
        assert KEY not in shown
        assert len(shown) < 220


def test_very_many_findings_and_long_texts_take_no_time() -> None:
    """Time grows with the text: twice the text may not take four times as long."""
    for piece in ("a@b.org +1 415 555 2671 ", "9", "a.", "eyJ", "a@", "sk-", "password = ", "1-"):
        short, long = (piece * (count // len(piece)) for count in (50_000, 200_000))
        before = time.process_time()
        few = len(scan.spans(short))
        between = time.process_time()
        many = len(scan.spans(long))
        assert time.process_time() - between < 8 * (between - before) + 1, piece
        assert many >= 3.9 * few
