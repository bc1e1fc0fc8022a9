"""Computes something on every device, so that "works" is a fact. Runs as a process of its own.

Prints one JSON object per device: name, precision, GFLOP/s, or why it does not work.
"""

import json
import time

SIZE = {"cpu": 512, "cuda": 4096, "mps": 2048}
MIN_TIME_S = 0.3


def main() -> None:
    """Probe CPU, CUDA and MPS in this order."""
    import torch

    devices = [("cpu", "CPU")]
    devices += [
        (f"cuda:{i}", torch.cuda.get_device_name(i)) for i in range(torch.cuda.device_count())
    ]
    if torch.backends.mps.is_available():
        devices.append(("mps", "Apple GPU"))
    for device, name in devices:
        for precision in (torch.float32, torch.bfloat16):
            fact: dict[str, str | float] = {
                "device": device,
                "name": name,
                "precision": str(precision).split(".")[1],
            }
            try:
                fact["gflops"] = round(_gflops(torch.device(device), precision), 1)
            except (RuntimeError, TypeError) as error:  # what torch raises for what it can not do
                fact["error"] = str(error).splitlines()[0]
            print(json.dumps(fact), flush=True)  # noqa: T201


def _gflops(device: object, precision: object) -> float:
    """Speed of a matrix product, after its result was checked against float64 on the CPU."""
    import torch

    assert isinstance(device, torch.device)
    assert isinstance(precision, torch.dtype)
    small = torch.arange(64 * 64, dtype=torch.float64).reshape(64, 64) / 4096
    found = (small.to(device, precision) @ small.to(device, precision)).cpu().double()
    if not torch.allclose(found, small @ small, rtol=0.05):
        raise RuntimeError("the device computes wrong results")
    n = SIZE[device.type]
    a = torch.rand(n, n, device=device).to(precision)
    _wait(a @ a)
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < MIN_TIME_S:
        _wait(a @ a)
        count += 1
    return 2 * n**3 * count / (time.perf_counter() - began) / 1e9


def _wait(result: object) -> None:
    import torch

    assert isinstance(result, torch.Tensor)
    if result.device.type == "cuda":
        torch.cuda.synchronize(result.device)
    elif result.device.type == "mps":
        torch.mps.synchronize()


if __name__ == "__main__":
    main()
