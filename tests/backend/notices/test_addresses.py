"""Addresses of targets: what is taken, what is refused with which words, what is shown."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from backend.errors import AppError, Refused
from backend.notices import addresses
from tests.effort import examples

PRIVATE = ["mail.lan:25", "[fd00::1]:80", "127.0.0.1:9000"]

TAKEN = [
    ("https://hooks.example.com/T0P/secret?x=1", "webhook", "https://hooks.example.com/…"),
    ("http://127.0.0.1:9000/hook", "webhook", "http://127.0.0.1/…"),
    ("http://[fd00::1]:80/hook", "webhook", "http://fd00::1/…"),
    ("mailtos://bob:hunter22@example.com?to=ops@example.com", "email", "mailtos://example.com/…"),
    (
        "mailto://bob:hunter22@x.example?smtp=mail.lan&to=a@b.example",
        "email",
        "mailto://x.example/…",
    ),
    ("https://hooks.slack.com/services/T1/B2/s3cret", "slack", "https://hooks.slack.com/…"),
    ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "slack", "slack://…"),
    ("https://discord.com/api/webhooks/417/JHM", "discord", "https://discord.com/…"),
    ("https://open.feishu.cn/open-apis/bot/v2/hook/ab-12", "feishu", "feishu://…"),
    ("https://oapi.dingtalk.com/robot/send?access_token=abc123", "dingtalk", "dingtalk://…"),
    (
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a-1",
        "wecom",
        "https://qyapi.weixin.qq.com/…",
    ),
    ("tgram://123456789:ABCdef/12315544", "telegram", "tgram://…"),
    ("ntfys://ntfy.sh/topic", "ntfy", "ntfys://ntfy.sh/…"),
    ("ntfys://secret-topic", "ntfy", "ntfys://…"),
    ("matrixs://t2bot-token/", "matrix", "matrixs://…"),
    ("matrixs://bob:pw@matrix.example/room", "matrix", "matrixs://matrix.example/…"),
    (
        "https://x.logic.azure.com/workflows/ab/invoke?api-version=1&sp=2;sv=1&sig=ab%2B",
        "teams",
        "https://x.logic.azure.com/…",
    ),
]
REFUSED = [
    ("", "UnreadableAddress"),
    ("hello", "UnreadableAddress"),
    ("https://", "UnreadableAddress"),
    ("https://user:pw@hooks.example.com/", "UnreadableAddress"),
    ("https://example.com\\@127.0.0.1/", "UnreadableAddress"),
    ("https://example.com/ x", "UnreadableAddress"),
    ("https://example.com/\x00", "UnreadableAddress"),
    ("https://example.com#@127.0.0.1/", "UnreadableAddress"),
    ("https://example.com:notaport/", "UnreadableAddress"),
    ("https://[::1/", "UnreadableAddress"),
    ("http://example.com/hook", "InsecureAddress"),
    ("mailto://bob:pw@example.com", "InsecureAddress"),
    ("mailtos://bob:pw@example.com?mode=insecure", "InsecureAddress"),
    ("https://127.0.0.2/", "PrivateAddress"),
    ("https://localhost/", "PrivateAddress"),
    ("https://LOCALHOST./", "PrivateAddress"),
    ("https://[::ffff:127.0.0.1]/", "PrivateAddress"),
    ("https://169.254.169.254/latest/meta-data", "PrivateAddress"),
    ("mailtos://bob:pw@example.com?smtp=10.0.0.1", "PrivateAddress"),
    *(
        (f"{scheme}://whatever/x", "ServiceNotAllowed")
        for scheme in (
            *("file", "syslog", "rsyslog", "dbus", "gnome", "windows", "macosx", "script", "exec"),
            *(
                "json",
                "jsons",
                "xml",
                "form",
                "smb",
                "ftp",
                "gopher",
                "javascript",
                "mqtt",
                "python",
            ),
        )
    ),
    ("mailtos://bob:pw@example.com?pgp=yes&pgpprv=/etc/shadow", "AddressOptionNotAllowed"),
    ("workflow://host:443/wf/sig?template=/etc/passwd", "AddressOptionNotAllowed"),
    ("gotifys://gotify.example/token?verify=no", "AddressOptionNotAllowed"),
    ("slack://a/b/c?config=http://10.0.0.1", "AddressOptionNotAllowed"),
    # The sender parts options by semicolons as well, and takes spaces away.
    ("mailtos://bob:pw@example.com?to=a@b.example;verify=no", "AddressOptionNotAllowed"),
    ("mailtos://bob:pw@example.com?to=a@b.example;pgpprv=/etc/shadow", "AddressOptionNotAllowed"),
    ("mailtos://bob:pw@example.com?to=a@b.example;smtp=10.0.0.1", "PrivateAddress"),
    ("mailtos://bob:pw@example.com?mode=insecure+", "InsecureAddress"),
    ("mailtos://bob:pw@example.com?mode=%2569nsecure", "InsecureAddress"),
    ("mailtos://bob:pw@example.com?%20verify%20=no", "AddressOptionNotAllowed"),
    # … and knows options of addresses that services give out.
    ("https://hooks.slack.com/services/T/B/x?template=/etc/passwd", "AddressOptionNotAllowed"),
    ("https://discord.com/api/webhooks/417/JHM?verify=no", "AddressOptionNotAllowed"),
    (
        "https://x.logic.azure.com/workflows/ab?sig=x&template=/etc/passwd",
        "AddressOptionNotAllowed",
    ),
]


@pytest.mark.parametrize(("url", "service", "shown"), TAKEN)
def test_taken(url: str, service: str, shown: str) -> None:
    address = addresses.read(f" {url}\n", PRIVATE)
    assert (address.service, address.shown) == (service, shown)


@pytest.mark.parametrize(("url", "code"), REFUSED)
def test_refused(url: str, code: str) -> None:
    with pytest.raises(AppError) as caught:
        addresses.read(url, PRIVATE)
    assert (caught.value.code(), caught.value.status) == (code, 400)
    assert "{" not in caught.value.detail


@examples(300)
@given(
    st.one_of(
        st.text(max_size=60),
        st.builds(
            "{}://{}".format, st.sampled_from([*addresses.SCHEMES, "FTP"]), st.text(max_size=60)
        ),
    )
)
def test_rubbish_is_an_address_or_a_refusal(url: str) -> None:
    try:
        address = addresses.read(url, PRIVATE)
    except Refused:
        return
    assert address.service
    assert len(address.shown) <= 300
