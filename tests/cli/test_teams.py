"""`nightbake teams`: the package that an admin uploads, and what the doctor says of the settings."""

import json
import zipfile
from pathlib import Path

import pytest

from tests.cli.running import run_nightbake
from tests.fakes.model_server import FakeModelServer
from tests.fakes.teams import APP_ID

SETTINGS = {
    "TEAMS_APP_ID": APP_ID,
    "TEAMS_APP_PASSWORD": "p",
    "TEAMS_TENANT_ID": "t",
    "PUBLIC_URL": "https://a.example",
}


def test_the_package_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "app.zip"
    ran = run_nightbake("teams", "manifest", "--output", str(path), "--version", "1.2.3", "--json", **SETTINGS)
    assert ran.json == {"path": str(path), "version": "1.2.3", "schema": "1.29"}
    with zipfile.ZipFile(path) as package:
        manifest = json.loads(package.read("manifest.json"))
    assert (manifest["id"], manifest["version"], manifest["validDomains"]) == (APP_ID, "1.2.3", ["a.example"])


def test_settings_that_teams_would_refuse_make_no_package(tmp_path: Path) -> None:
    path = tmp_path / "app.zip"
    ran = run_nightbake("teams", "manifest", "--output", str(path), **SETTINGS | {"PUBLIC_URL": "http://a.example"})
    assert (ran.code, path.exists()) == (2, False)
    assert "PUBLIC_URL: expected https://" in ran.err


@pytest.mark.parametrize("version", ["1", "1.0.x", "1.0.0.0"])
def test_a_version_that_teams_would_refuse_is_wrong_usage(version: str) -> None:
    assert run_nightbake("teams", "manifest", "--version", version, **SETTINGS).code == 2


def test_the_doctor_warns_of_an_open_door(installation: FakeModelServer) -> None:
    findings = run_nightbake("doctor", "--json", TEAMS_WITHOUT_AUTHENTICATION="1").json["findings"]
    (teams,) = (one for one in findings if one["part"] == "teams")
    assert (teams["status"], "TEAMS_WITHOUT_AUTHENTICATION" in teams["detail"]) == ("note", True)


def test_the_doctor_names_every_setting_that_teams_would_refuse(
    installation: FakeModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise PermissionError("invalid_client")

    # The login server takes only HTTPS, so it has no stand-in.
    monkeypatch.setattr("botframework.connector.auth.MicrosoftAppCredentials.get_access_token", refuse)
    settings = SETTINGS | {"TEAMS_APP_ID": "app", "PUBLIC_URL": "http://a.example"}
    findings = run_nightbake("doctor", "--json", **settings).json["findings"]
    (teams,) = (one for one in findings if one["part"] == "teams")
    assert teams["status"] == "problem"
    for named in ("TEAMS_APP_ID: expected", "PUBLIC_URL: expected https://", "check TEAMS_APP_PASSWORD"):
        assert named in teams["detail"]
