"""Terminal colours (SGR, ECMA-48 §8.3.117) leave the text and become spans beside it."""

import re

from training_engine.contract.log_lines import Colour

MAX_SPANS = 200
SGR = re.compile(rb"\x1b\[([\d;]{0,64})m")
# Code → what it sets; a second code of the same kind replaces the first.
_KINDS = {
    **dict.fromkeys(("1", "2"), "weight"),
    "3": "slant",
    **dict.fromkeys(("4", "21"), "underline"),
    "7": "inverse",
    "9": "strike",
    **dict.fromkeys([str(n) for n in (*range(30, 38), *range(90, 98))], "text"),
    **dict.fromkeys([str(n) for n in (*range(40, 48), *range(100, 108))], "ground"),
}
_ENDS = {
    "22": "weight",
    "23": "slant",
    "24": "underline",
    "27": "inverse",
    "29": "strike",
    "39": "text",
    "49": "ground",
}
_EXTENDED = {"38": "text", "48": "ground"}
_LENGTH = {"5": 3, "2": 5}  # 38;5;N and 38;2;R;G;B


class Colours:
    """What a terminal has been told so far; blinking and hidden text are not followed."""

    def __init__(self) -> None:
        self._set: dict[str, str] = {}
        self.code = ""  # what applies to the next character: "1;31"; empty without any

    def apply(self, parameters: bytes) -> None:
        """Take in one SGR sequence by its parameters."""
        if parameters in (b"", b"0"):
            self._set.clear()
            self.code = ""
            return
        codes = [code.lstrip("0") or "0" for code in parameters.decode().split(";")]
        at = 0
        while at < len(codes):
            code = codes[at]
            if code in _EXTENDED:
                length = _LENGTH.get(codes[at + 1], 2) if at + 1 < len(codes) else 1
                if length > 2 and at + length <= len(codes):
                    self._set[_EXTENDED[code]] = ";".join(codes[at : at + length])
                at += length
                continue
            if code == "0":
                self._set.clear()
            elif code in _KINDS:
                self._set[_KINDS[code]] = code
            elif code in _ENDS:
                self._set.pop(_ENDS[code], None)
            at += 1
        self.code = ";".join([self._set[kind] for kind in sorted(self._set)])


def clipped(colours: list[Colour], start: int, end: int) -> list[Colour]:
    """The spans of characters `start` to `end`, counted from `start`."""
    return [
        (max(a, start) - start, min(b, end) - start, code)
        for a, b, code in colours
        if a < end and b > start
    ]
