"""Keys, tokens and passwords in a text: patterns of detect-secrets and of newer issuers."""

import math
import re
from collections import Counter
from collections.abc import Iterator

from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.jwt import JwtTokenDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector

# What a text must hold before the patterns are tried; for Rust's regular expressions.
HINT = (
    r"AKIA|ASIA|ABIA|ACCA|A3T|gh[pousr]_|github_pat_|gl(?:pat|dt|ft|soat|rt|cbt|imt|ptt|agent|oas)-"
    r"|GR1348941|sk-|[rs]k_live_|xox[abprs]-|hooks\.slack|eyJ|PRIVATE KEY|AIza|hf_[A-Za-z]|npm_"
    r"|pypi-|SG\.|sq0csp|AccountKey|://[^\s/:@]{1,64}:[^\s/@]{1,128}@"
    r"|(?i:passw(?:or)?d|pwd|secret|token|api[_ -]?key|access[_ -]?key|密码|口令|密钥)"
    r"[\w-]{0,20}[\"']?\s{0,3}(?:[:=：]|是)"
)
_PLUGINS = (
    AWSKeyDetector,
    AzureStorageKeyDetector,
    GitHubTokenDetector,
    GitLabTokenDetector,
    PypiTokenDetector,
    SendGridDetector,
    SlackDetector,
    SquareOAuthDetector,
    StripeDetector,
)
_OWN: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "Private Key",
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:(?!-----END)[\s\S]){16,20000}(?:-----END[A-Z0-9 ]{0,40}-----)?"
        ),
    ),
    (
        "OpenAI Key",
        re.compile(
            r"(?a)(?<![\w-])sk-(?=[A-Za-z_-]{0,40}\d)(?=[a-z0-9_-]{0,40}[A-Z])[A-Za-z0-9_-]{32,200}"
        ),
    ),
    ("GitHub Token", re.compile(r"(?a)(?<!\w)github_pat_[A-Za-z0-9_]{60,100}")),
    ("Google API Key", re.compile(r"(?a)(?<!\w)AIza[A-Za-z0-9_-]{35}(?![\w-])")),
    ("Hugging Face Token", re.compile(r"(?a)(?<!\w)hf_[A-Za-z0-9]{30,60}(?!\w)")),
    ("NPM Token", re.compile(r"(?a)(?<!\w)npm_[A-Za-z0-9]{36}(?!\w)")),
    (
        "Password in URL",
        re.compile(r"(?a)(?<=://)[^\s/:@'\"<>{}$]{1,64}:[^\s/@'\"<>{}$]{3,128}(?=@[\w.-])"),
    ),
)
_PATTERNS = (
    tuple((str(plugin.secret_type), pattern) for plugin in _PLUGINS for pattern in plugin.denylist)
    + _OWN
)
_JWT = re.compile(r"(?a)(?<![\w-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")
# Something called a secret, with a value that nobody types twice.
_NAMED = re.compile(
    r"(?a)(?:passw(?:or)?d|pwd|secret|token|api[_ -]?key|access[_ -]?key|密码|口令|密钥)"
    r"[\w-]{0,20}[\"']?\s{0,3}(?:[:=：]|是)\s{0,3}[\"'“`]?([^\s\"'”`,;，。；(){}<>]{8,200})",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"(?:^(?:your|my|the|some|\$)|xxx|\*\*\*|\.\.\.|example|sample|dummy|placeholder|changeme|redacted|"
    r"password|secret|token|insert|replace|process\.env|os\.environ|self\.|config\.|test|1234567)",
    re.IGNORECASE,
)
MIN_NAMED_BITS = 3.0
LONG_ENOUGH = 16


def find(text: str) -> Iterator[tuple[int, int, str]]:
    """`(start, end, kind)` of each secret; they may overlap."""
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            if _varied(match[0]):
                yield *match.span(), kind
    for match in _JWT.finditer(text):
        if JwtTokenDetector.is_formally_valid(match[0]):
            yield *match.span(), "JSON Web Token"
    for match in _NAMED.finditer(text):
        if _looks_random(match[1]):
            yield *match.span(1), "Password or key"


def _varied(value: str) -> bool:
    """Not a row of one letter, as documentation has it."""
    return len(set(value)) > 8 or len(value) < LONG_ENOUGH


def _looks_random(value: str) -> bool:
    """Letters with digits or marks, in no order that a word has."""
    if _PLACEHOLDER.search(value) or not value.isascii() or "://" in value:
        return False
    kinds = [
        any(c.islower() for c in value),
        any(c.isupper() for c in value),
        any(c.isdigit() for c in value),
        any(not c.isalnum() and c not in "_-./" for c in value),
    ]
    if not kinds[2] or sum(kinds) < (2 if len(value) >= LONG_ENOUGH else 3):
        return False
    return _bits(value) >= (MIN_NAMED_BITS if len(value) >= LONG_ENOUGH else 2.5)


def _bits(value: str) -> float:
    """Shannon entropy per character."""
    counts = Counter(value).values()
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts)
