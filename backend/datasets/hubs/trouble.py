"""Why a data set of a hub can not be had: a result that the user reads, no failure of the job."""

from collections.abc import Mapping
from typing import Any

Scalar = str | int | float | bool | None


class HubTrouble(Exception):
    """Code, plain sentence, next step; `choices` when the user has to choose among them."""

    def __init__(
        self,
        code: str,
        message: str,
        hint: str,
        *,
        params: Mapping[str, Scalar] | None = None,
        choices: dict[str, list[str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint
        self.params = dict(params or {})
        self.choices = choices or {}

    @property
    def error(self) -> dict[str, Any]:
        """In the shape of the API's `DatasetError`."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "params": self.params,
        }
