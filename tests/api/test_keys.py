"""API keys: made once, stored as hashes, revoked within about a second."""

import time

import pytest

from api.keys import KeyExists, KeyRevoked, KeyRing, UnknownKey, create_key, list_keys, revoke_key
from api.roles import Role
from ledger import Malformed
from ledger.postgres import connect
from tests.api.house import House


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic YWxpY2U6c2VjcmV0"},
        {"Authorization": "Bearer mlk_short"},
        {"Authorization": f"Bearer mlk_{'A' * 43}"},
        {"Authorization": f"mlk_{'A' * 43}"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/commands"), ("GET", "/v1/market"), ("POST", "/v1/accounts")]
)
def test_a_request_without_a_valid_key_is_401(house: House, headers: dict[str, str], method: str, path: str) -> None:
    answer = house.http.request(method, path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/health", "/docs", "/openapi.json", "/problems", "/problems/insufficient_funds"])
def test_health_and_documentation_are_open_to_all(house: House, path: str) -> None:
    assert house.http.get(path).status_code == 200


def test_a_key_is_not_stored(database: str) -> None:
    with connect(database) as connection:
        key = create_key(connection, "engine", "service")
        (row,) = connection.execute("select * from api_keys").fetchall()
    assert key.startswith("mlk_")
    assert len(key) == 47
    assert key not in str(row)
    assert key.encode() not in b"".join(value for value in row if isinstance(value, bytes))


def test_keys_are_listed_without_themselves(database: str) -> None:
    with connect(database) as connection:
        create_key(connection, "b", Role.CUSTOMER, "alice")
        create_key(connection, "a", Role.ADMIN)
        found = list_keys(connection)
    assert [(key.name, key.role, key.account_id, key.revoked_at) for key in found] == [
        ("a", Role.ADMIN, None, None),
        ("b", Role.CUSTOMER, "alice", None),
    ]


@pytest.mark.parametrize(
    ("name", "role", "account_id"),
    [
        ("a b", "service", None),
        ("", "service", None),
        ("a", "owner", None),
        ("a", "customer", None),
        ("a", "service", "alice"),
        ("a", "customer", "@exchange"),
        ("a" * 65, "service", None),
    ],
)
def test_a_key_that_makes_no_sense_is_malformed(database: str, name: str, role: str, account_id: str | None) -> None:
    with connect(database) as connection, pytest.raises(Malformed):
        create_key(connection, name, role, account_id)


def test_a_name_is_used_once(database: str) -> None:
    with connect(database, autocommit=True) as connection:
        create_key(connection, "engine", "service")
        revoke_key(connection, "engine")
        with pytest.raises(KeyExists, match="engine"):
            create_key(connection, "engine", "service")


def test_a_key_is_revoked_once(database: str) -> None:
    with connect(database) as connection:
        create_key(connection, "engine", "service")
        assert revoke_key(connection, "engine").revoked_at is not None
        with pytest.raises(KeyRevoked):
            revoke_key(connection, "engine")
        with pytest.raises(UnknownKey):
            revoke_key(connection, "motor")


def test_a_revoked_key_is_refused_within_about_a_second(house: House) -> None:
    house.key("leaving")
    assert house.get("/v1/market", who="leaving").status_code == 200
    assert house.ask("DELETE", "/v1/keys/leaving-phone").status_code == 200
    deadline = time.monotonic() + 1.5
    while house.get("/v1/market", who="leaving").status_code == 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    answer = house.get("/v1/market", who="leaving")
    assert answer.status_code == 401
    assert "revoked" in answer.json()["detail"]


def test_a_key_in_use_is_looked_up_before_its_time_is_over_so_that_no_request_waits(house: House) -> None:
    authorization = f"Bearer {house.key('service')}"
    keys = KeyRing(house.pool, seconds_kept=0.5)
    assert keys.find(authorization).name == "service"
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        assert keys.kept(authorization) is not None
        time.sleep(0.01)


def test_a_key_out_of_use_is_forgotten(house: House) -> None:
    authorization = f"Bearer {house.key('service')}"
    keys = KeyRing(house.pool, seconds_kept=0.1)
    keys.find(authorization)
    time.sleep(0.2)
    assert keys.kept(authorization) is None


def test_an_admin_makes_lists_and_revokes_keys(house: House) -> None:
    made = house.ask("POST", "/v1/keys", json={"name": "made", "role": "customer", "account_id": "carol"})
    assert made.status_code == 200
    answer = house.http.get("/v1/market", headers={"Authorization": f"Bearer {made.json()['key']}"})
    assert answer.status_code == 200
    names = [key["name"] for key in house.get("/v1/keys").json()["keys"]]
    assert "made" in names
    assert "mlk_" not in house.get("/v1/keys").text
    assert house.ask("DELETE", "/v1/keys/made").json()["revoked_at"] is not None
    assert house.ask("DELETE", "/v1/keys/made").status_code == 409
    assert house.ask("DELETE", "/v1/keys/never").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x"},
        {"name": "x", "role": "owner"},
        {"name": 5, "role": "service"},
        {"name": "x", "role": ["service"]},
        {"name": "x", "role": "service", "rights": "all"},
        {"name": "x", "role": "customer", "account_id": 5},
        [],
    ],
)
def test_a_key_asked_for_wrongly_is_malformed(house: House, body: object) -> None:
    assert house.ask("POST", "/v1/keys", json=body).status_code == 400


@pytest.mark.parametrize("who", ["service", "operator", "auditor", "customer-of-keys"])
def test_only_an_admin_manages_keys(house: House, who: str) -> None:
    assert house.get("/v1/keys", who=who).status_code == 403
    assert house.ask("POST", "/v1/keys", who=who, json={"name": "x", "role": "admin"}).status_code == 403
    assert house.ask("DELETE", "/v1/keys/admin", who=who).status_code == 403
