"""Pages of other sites can not act with the browser's cookie."""

import httpx
import pytest

from backend.accounts.tables import UserRow
from tests.conftest import BASE_URL, PASSWORD

LOGOUT = "/api/v1/auth/logout"


async def test_the_header_is_needed(client: httpx.AsyncClient) -> None:
    del client.headers["X-EasyTune"]
    answer = await client.post(LOGOUT)
    assert (answer.status_code, answer.json()["code"]) == (403, "CrossSite")
    assert (await client.get("/api/v1/auth/me")).status_code == 200, "reading needs none"
    token = (await client.post("/api/v1/auth/refresh", headers={"X-EasyTune": "1"})).json()
    client.cookies.clear()
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    assert (await client.post(LOGOUT, headers=bearer)).status_code == 204, "programs need none"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": BASE_URL.replace("http:", "https:")},
        {"Origin": BASE_URL + ":8080"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_callers_from_other_pages_are_refused(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    assert (await client.post(LOGOUT, headers=headers)).status_code == 403
    client.cookies.clear()
    body = {"username": "admin", "password": PASSWORD}
    answer = await client.post("/api/v1/auth/login", json=body, headers=headers)
    assert answer.status_code == 403, "nor may they sign the browser in as somebody else"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": BASE_URL, "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_our_own_page_is_let_through(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    assert (await client.post(LOGOUT, headers=headers)).status_code == 204


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
async def test_forms_of_plain_pages_are_refused(client: httpx.AsyncClient, kind: str) -> None:
    answer = await client.post(LOGOUT, content=b"{}", headers={"Content-Type": kind})
    assert answer.status_code == 403


async def test_json_as_text_is_not_taken(
    anonymous_client: httpx.AsyncClient, administrator: UserRow
) -> None:
    body = b'{"username":"admin","password":"%s"}' % PASSWORD.encode()
    for kind in ("text/plain", ""):
        answer = await anonymous_client.post(
            "/api/v1/auth/login", content=body, headers={"Content-Type": kind}
        )
        assert answer.status_code == 422
