"""Who am I."""

import httpx


async def test_me_names_the_user(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/auth/me")
    assert answer.status_code == 200
    assert answer.json()["username"] == "admin"


async def test_nobody_is_refused(anonymous_client: httpx.AsyncClient) -> None:
    answer = await anonymous_client.get("/api/v1/auth/me")
    assert answer.status_code == 401
    assert answer.json()["code"] == "Unauthenticated"


async def test_over_a_socket(live_client: httpx.AsyncClient) -> None:
    answer = await live_client.get("/api/v1/auth/me")
    assert answer.json()["role"] == "administrator"
