"""The composition starts PostgreSQL, migrates it once, and then runs API, projections, risk engine and seal apart."""

import re
import tomllib
from typing import Any

import pytest
import yaml

from tests.house.files import ROOT

SERVICES = {"postgres", "migrate", "api", "projections", "risk", "seal"}


@pytest.fixture(scope="module")
def composition() -> dict[str, Any]:
    """The composition as YAML reads it, anchors resolved."""
    loaded = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert isinstance(loaded, dict)
    return loaded


def test_the_composition_has_the_six_services(composition: dict[str, Any]) -> None:
    assert set(composition["services"]) == SERVICES


@pytest.mark.parametrize("service", ["postgres", "api", "projections", "risk", "seal"])
def test_every_lasting_service_has_a_healthcheck(composition: dict[str, Any], service: str) -> None:
    healthcheck = composition["services"][service]["healthcheck"]
    assert healthcheck["test"][0] in {"CMD", "CMD-SHELL"}
    assert {"interval", "timeout", "retries"} <= set(healthcheck)


@pytest.mark.parametrize(
    ("service", "command"),
    [
        ("migrate", ["migrate"]),
        ("api", ["api", "--host", "0.0.0.0", "--port", "8000"]),
        ("projections", ["project"]),
        ("risk", ["risk"]),
        ("seal", ["seal", "--follow"]),
    ],
)
def test_every_part_of_the_ledger_runs_its_own_command(
    composition: dict[str, Any], service: str, command: list[str]
) -> None:
    assert composition["services"][service]["command"] == ["ledger", *command]


def test_the_api_answers_for_its_health(composition: dict[str, Any]) -> None:
    assert "/health" in composition["services"]["api"]["healthcheck"]["test"][-1]


@pytest.mark.parametrize("service", ["api", "projections", "risk", "seal"])
def test_what_reads_the_schema_waits_for_the_migration(composition: dict[str, Any], service: str) -> None:
    assert composition["services"][service]["depends_on"] == {
        "postgres": {"condition": "service_healthy"},
        "migrate": {"condition": "service_completed_successfully"},
    }


def test_every_volume_that_is_mounted_is_declared(composition: dict[str, Any]) -> None:
    mounted = [volume for service in composition["services"].values() for volume in service.get("volumes", [])]
    assert {volume.partition(":")[0] for volume in mounted} == set(composition["volumes"])


def kept_in(service: dict[str, Any], volume: str) -> set[str]:
    """The settings of a service that name a place in this volume."""
    mounted = dict(reversed(one.split(":")) for one in service["volumes"])
    return {
        name
        for name, value in service["environment"].items()
        if any(value.startswith(f"{folder}/") and of == volume for folder, of in mounted.items())
    }


def test_keys_are_where_texts_are_recorded_and_shown_and_nowhere_else(composition: dict[str, Any]) -> None:
    """A part that has no use for a key can neither read one nor make one that is lost with its container."""
    services = composition["services"]
    to_seal, of_texts = (
        {"LEDGER_SIGNING_KEY", "LEDGER_CHECKPOINT_FOLDER"},
        {"LEDGER_LIABILITY_SECRET", "LEDGER_PRIVACY_KEY"},
    )
    assert kept_in(services["api"], "seal") == kept_in(services["seal"], "seal") == to_seal
    assert kept_in(services["api"], "secrets") == of_texts
    assert kept_in(services["seal"], "secrets") == set()
    assert not of_texts & set(services["seal"]["environment"])
    for service in ("migrate", "projections", "risk"):
        assert "volumes" not in services[service]
        assert set(services[service]["environment"]) == {"LEDGER_DATABASE_URL", "LEDGER_HOME"}
        assert services[service]["environment"]["LEDGER_HOME"] == "/nowhere"


def test_passwords_come_from_the_environment() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for password in re.findall(r"PASSWORD: (.+)|ledger:([^@/ ]+)@", text):
        assert "${LEDGER_DB_PASSWORD:-ledger}" in password


def test_the_image_copies_every_room_that_is_shipped_and_runs_as_a_plain_user() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    for package in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        assert f"COPY {package} {package}" in lines
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users
    assert users[-1] not in {"root", "0"}
