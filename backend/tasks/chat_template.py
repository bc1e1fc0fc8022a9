"""Whether a chat template that came with a plan can be read, before a run has to find out.

It is only parsed here; the engine renders it, in Jinja's sandbox.
"""

from collections.abc import Iterator

from jinja2 import TemplateSyntaxError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from backend.errors import FieldError

POINTER = "/chat_template"


class _Generation(Extension):
    """`{% generation %}`, with which templates mark what the assistant says."""

    tags = {"generation"}  # noqa: RUF012 (Jinja declares it plain)

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


_environment = ImmutableSandboxedEnvironment(extensions=["jinja2.ext.loopcontrols", _Generation])


def errors_of(template: str | None) -> Iterator[FieldError]:
    """What is wrong with it: that it can not be parsed, or that it never looks at the messages."""
    if template is None:
        return
    reason = _trouble(template)
    if reason is not None:
        yield FieldError(
            pointer=POINTER,
            code="bad_chat_template",
            message=f"This is not a template that can be read: {reason}",
            params={"reason": reason},
        )


def _trouble(template: str) -> str | None:
    try:
        parsed = _environment.parse(template)
    except TemplateSyntaxError as error:
        return f"line {error.lineno}: {error.message}"
    except RecursionError:
        return "it is nested too deeply"
    if any(name.name == "messages" for name in parsed.find_all(nodes.Name)):
        return None
    return "it never looks at messages, so every conversation would be the same text"
