"""How many examples a property is tried with: a few in `make test`, all in `make test-long`."""

from typing import Any

from hypothesis import HealthCheck, settings

FEW = 5
# Folders and databases outlive an example here, and slow machines are no defect.
CHECKS = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


def examples(full: int) -> Any:
    """Settings of a test that is worth `full` examples where time does not matter."""
    thorough = settings.get_current_profile_name() == "thorough"
    few = max(3, full // FEW)
    return settings(
        max_examples=full if thorough else few, deadline=None, suppress_health_check=CHECKS
    )
