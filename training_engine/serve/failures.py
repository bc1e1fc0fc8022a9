"""What the worker refuses, as one exception with a plain sentence and the next step."""

from training_engine.contract.serving import Failure
from training_engine.failures import EngineFailure


class ServeError(Exception):
    """A request that can not be answered: `code` for programs, `message` and `hint` for people."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint

    def failure(self) -> Failure:
        """As the last line of a stream."""
        return Failure(code=self.code, message=self.message, hint=self.hint)


def from_engine(failure: EngineFailure) -> ServeError:
    """What the engine's own rooms refuse, for whoever asked the worker."""
    return ServeError(failure.code.value, failure.message, failure.hint)
