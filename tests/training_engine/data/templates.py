"""Chat templates in the manner of known families, written for the tests."""

from pathlib import Path
from typing import Any

from tests.tiny_model import CHATML, build_tiny_tokenizer

# A default system prompt comes in front, as SmolLM2 does it.
DEFAULT_SYSTEM = (
    "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nBe kind.<|im_end|>\n{% endif %}"
    + CHATML
)
# Headers of their own, a begin token, the turn's text trimmed: Llama 3.
LLAMA_3 = (
    "{{ '<|endoftext|>' }}"
    "{% for m in messages %}"
    "{{ '<|im_start|>' + m['role'] + ':\n\n' + m['content'] | trim + '<|im_end|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant:\n\n' }}{% endif %}"
)
# No header for the assistant, no generation prompt, strict about turns: Mistral.
MISTRAL = (
    "{{ '<|endoftext|>' }}"
    "{% for m in messages %}"
    "{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate user and assistant.') }}{% endif %}"
    "{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + ' [/INST]' }}"
    "{% else %}{{ ' ' + m['content'] + '<|im_end|>' }}{% endif %}"
    "{% endfor %}"
)
# Thinking is removed from turns before the last question and added, empty, to the last: Qwen3.
THINKING = (
    "{% set ns = namespace(last=-1) %}"
    "{% for m in messages %}{% if m['role'] == 'user' %}{% set ns.last = loop.index0 %}{% endif %}"
    "{% endfor %}"
    "{% for m in messages %}"
    "{% set text = m['content'].split('</think>')[-1].lstrip('\n') %}"
    "{% if m['role'] == 'assistant' and loop.index0 > ns.last %}"
    "{% set thought = m['content'].split('</think>')[0].split('<think>')[-1].strip('\n')"
    " if '</think>' in m['content'] else '' %}"
    "{% set text = '<think>\n' + thought + '\n</think>\n\n' + text %}{% endif %}"
    "{{ '<|im_start|>' + m['role'] + '\n' + text + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# The generation prompt opens the thinking, which finished turns do not show: DeepSeek-R1.
OPENED = CHATML.replace(
    "{{ '<|im_start|>assistant\\n' }}", "{{ '<|im_start|>assistant\\n<think>\\n' }}"
)
# The same, and the reasoning is taken out of every answer, the last included: R1's distillates.
UNREASONED = (
    "{% for m in messages %}"
    "{{ '<|im_start|>' + m['role'] + '\n' + m['content'].split('</think>')[-1] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n<think>\n' }}{% endif %}"
)
# The reasoning of the last answer stays, with white space of the template's own: GLM.
TRIMMED = THINKING.replace("strip('\n')", "strip()").replace("</think>\n\n", "</think>\n")
# Nothing ends a turn.
ENDLESS = (
    "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)
# Tools in front, calls and results in turns.
TOOLS = (
    "{% if tools %}{{ '<|im_start|>tools\n' + tools | tojson + '<|im_end|>\n' }}{% endif %}"
    "{% for m in messages %}"
    "{{ '<|im_start|>' + m['role'] + '\n' + m['content'] }}"
    "{% for call in m['tool_calls'] or [] %}"
    "{{ '<call>' + call['function']['name'] + call['function']['arguments']['city'] }}"
    "{% endfor %}"
    "{{ '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# Arguments are joined on as JSON text: DeepSeek.
JSON_CALLS = TOOLS.replace(
    "call['function']['arguments']['city']",
    "'\n```json\n' + call['function']['arguments'] + '\n```'",
)
# Arguments are taken in both forms, but as an object only if all of them are texts.
EITHER_CALLS = TOOLS.replace(
    "{{ '<call>' + call['function']['name'] + call['function']['arguments']['city'] }}",
    "{% if call['function']['arguments'] is string %}{{ call['function']['arguments'] }}{% else %}"
    "{% for name, value in call['function']['arguments'].items() %}{{ name + '=' + value }}"
    "{% endfor %}{% endif %}",
)
# What comes first is the user's, whoever said it: Llama 3.1 with tools.
FIRST_IS_USER = CHATML.replace("message['role']", "('user' if loop.first else message['role'])")
# A conversation needs a question: Qwen3.5.
QUESTION_NEEDED = (
    "{% if 'user' not in messages | map(attribute='role') | list %}"
    "{{ raise_exception('No user query found in messages.') }}{% endif %}" + CHATML
)


def load(folder: Path, template: str | None) -> Any:
    """The tiny tokenizer with a template."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(build_tiny_tokenizer(folder))
    tokenizer.chat_template = template
    return tokenizer
