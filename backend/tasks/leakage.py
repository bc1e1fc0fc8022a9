"""Whether rows to measure with are trained on, too: then they measure little."""

from backend.datasets.hygiene import service as hygiene
from backend.datasets.hygiene.service import NotExaminedYet, NothingToExamine
from backend.datasets.reading.desk import ReadingDesk, RowsUnavailable
from backend.settings import Settings
from backend.tasks.plan_schemas import Finding
from backend.tasks.plans import Plan


async def remarks(desk: ReadingDesk, settings: Settings, plan: Plan) -> list[Finding]:
    """What a plan's data have in common, or that nobody knows it yet; no session is held."""
    measured, trained = plan.validation, plan.dataset
    if measured is None:
        return []
    try:
        found = await hygiene.overlap(desk, settings, measured, trained)
    except (NotExaminedYet, NothingToExamine, RowsUnavailable):
        text = (
            "Whether rows of the validation data are in the training data, too, is not known yet; "
            "ask again when both have been examined."
        )
        return [Finding(code="overlap_unknown", message=text)]
    remarks = []
    if shared := found.exact + found.near:
        text = (
            f"{shared} of {found.rows} rows of the validation data are in the training data, too, "
            f"{found.exact} of them word for word: they do not show what is learnt. Leave them out."
        )
        params = {"shared": shared, "exact": found.exact, "near": found.near, "rows": found.rows}
        remarks.append(Finding(code="validation_overlaps", message=text, params=dict(params)))
    if found.same_prompt:
        text = (
            f"{found.same_prompt} questions of the validation data are in the training data with "
            "other answers."
        )
        params = {"same_prompt": found.same_prompt, "rows": found.rows}
        remarks.append(Finding(code="validation_shares_prompts", message=text, params=dict(params)))
    return remarks
