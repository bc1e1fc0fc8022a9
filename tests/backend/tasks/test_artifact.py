"""The download of a finished run."""

import io
import json
import zipfile

import httpx
import yaml

from backend.jobs.schemas import JobStatus
from tests.backend.tasks.conftest import MakeRun, Run


def _output(run: Run, attempt: int = 1) -> None:
    folder = run.folder(attempt).output_dir
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(b"w" * 100_000)
    (folder / "README.md").write_text("# Card")


async def test_it_holds_model_config_curves_and_log(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run(output_name="bot-三")
    run.log("one", "token hf_abcdefghijklmnop")
    with run.events() as events:
        events.write("metrics", step=1, values={"loss": 2.0})
    _output(run)
    early = await client.get(f"/api/v1/tasks/{run.id}/artifact")
    assert (early.status_code, early.json()["code"]) == (409, "NoArtifact")
    await run.move(JobStatus.COMPLETED, metrics={"loss": 2.0})
    assert (await client.get(f"/api/v1/tasks/{run.id}")).json()["has_artifact"]
    answer = await client.get(f"/api/v1/tasks/{run.id}/artifact")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-length"] == str(len(answer.content))
    assert "filename*=UTF-8''bot-%E4%B8%89.zip" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "bot-三/README.md",
            "bot-三/config.yaml",
            "bot-三/metrics.json",
            "bot-三/logs.txt",
            "bot-三/artifacts/README.md",
            "bot-三/artifacts/adapter_config.json",
            "bot-三/artifacts/adapter_model.safetensors",
        ]
        config = yaml.safe_load(archive.read("bot-三/config.yaml"))
        metrics = json.loads(archive.read("bot-三/metrics.json"))
        log = archive.read("bot-三/logs.txt")
        readme = archive.read("bot-三/README.md").decode()
    assert config["method"] == "lora"
    assert metrics["last"] == {"loss": 2.0}
    assert [point["value"] for point in metrics["series"]["loss"]] == [2.0]
    assert b"hf_abcdefghijklmnop" not in log
    assert log.count(b"\n") == 2
    assert "PeftModel.from_pretrained(AutoModelForCausalLM" in readme


async def test_a_result_outlives_a_failed_second_try(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run(JobStatus.COMPLETED)
    _output(run)
    await run.set(attempt=2, status=JobStatus.FAILED)
    run.log("second try", attempt=2)
    task = (await client.get(f"/api/v1/tasks/{run.id}")).json()
    assert (task["status"], task["has_artifact"]) == ("FAILED", True)
    answer = await client.get(f"/api/v1/tasks/{run.id}/artifact")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        log = next(name for name in archive.namelist() if name.endswith("logs.txt"))
        assert b"second try" not in archive.read(log)


async def test_files_that_are_gone_are_told(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await make_run(JobStatus.COMPLETED)
    answer = await client.get(f"/api/v1/tasks/{run.id}/artifact")
    assert (answer.status_code, answer.json()["code"]) == (404, "ArtifactGone")
