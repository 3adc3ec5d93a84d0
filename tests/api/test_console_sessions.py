"""Sessions of the console, what they ask with, and the brake on signing in: rules without a server."""

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.datastructures import Headers

from api.console.asking import Asker, Refused
from api.console.brake import MOST_OF_ALL, MOST_OF_ONE, SECONDS, Brake
from api.console.origins import Origins, OriginSettings
from api.console.sessions import IDLE, LEFT, LONGEST_SECONDS, MOST_SESSIONS, TOO_LONG, Session, Sessions
from api.roles import Caller, Role

AUDITOR = Caller("auditor", Role.AUDITOR)


def begun(sessions: Sessions, purpose: str = "") -> tuple[str, Session]:
    token = sessions.begin("mlk_x", AUDITOR, purpose)
    session = sessions.find(token)
    assert session is not None
    return token, session


def test_a_session_in_which_nobody_does_anything_ends_and_says_so() -> None:
    sessions = Sessions()
    token, session = begun(sessions)
    session.idle_at -= 29 * 60
    assert sessions.find(token) is session
    session.idle_at -= 61
    assert (sessions.find(token), sessions.why_over(token)) == (None, IDLE)
    session.touch()
    assert sessions.find(token) is None


def test_who_does_something_stays_but_not_for_ever() -> None:
    sessions = Sessions()
    token, session = begun(sessions)
    session.idle_at -= 29 * 60
    session.touch()
    session.idle_at -= 29 * 60
    assert sessions.find(token) is session
    session.touch()
    session.ends_at -= LONGEST_SECONDS
    assert (sessions.find(token), sessions.why_over(token)) == (None, TOO_LONG)


def test_no_two_sessions_have_the_same_cookie_and_no_other_text_has_one() -> None:
    sessions = Sessions()
    (first, one), (second, other) = begun(sessions), begun(sessions)
    assert first != second
    assert one is not other
    for token in ("", "x", None, first.upper() + "x"):
        assert sessions.find(token) is None
        assert sessions.why_over(token) == ""


def test_of_too_many_sessions_one_that_is_over_goes_first_and_then_the_oldest() -> None:
    sessions = Sessions()
    tokens = [sessions.begin("mlk_x", AUDITOR, "") for _ in range(MOST_SESSIONS)]
    sessions.end(tokens[5], LEFT)
    begun(sessions)
    assert sessions.find(tokens[0]) is not None
    oldest = sessions.find(tokens[0])
    begun(sessions)
    assert sessions.find(tokens[0]) is None
    assert oldest is not None
    assert oldest.over.is_set()
    assert sessions.find(tokens[1]) is not None


Seen = list[dict[str, str]]


def asking(session: Session, status: int, seen: Seen) -> Refused | dict[str, Any]:
    """What comes of one question to an API that answers with a status and keeps the headers it was asked with."""

    async def api(scope: Any, receive: Any, send: Any) -> None:
        seen.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b'{"detail": "the key was revoked"}'})

    async def asked() -> dict[str, Any]:
        return await Asker(api, session).get("/v1/accounts/alice")

    try:
        return asyncio.run(asked())
    except Refused as refused:
        return refused


@pytest.mark.parametrize("purpose", ["ticket 4711", "Prüfung 4711 für 東京", ""])
def test_every_question_says_why_it_is_asked(purpose: str) -> None:
    seen: Seen = []
    _, session = begun(Sessions(), purpose)
    asking(session, 200, seen)
    assert seen[0].get("x-purpose", "") == purpose
    assert seen[0]["authorization"] == "Bearer mlk_x"
    assert seen[0]["x-correlation-id"].startswith("console-")


def test_a_key_that_is_not_believed_ends_the_session_and_nothing_more_is_asked() -> None:
    seen: Seen = []
    sessions = Sessions()
    token, session = begun(sessions)
    for _ in range(2):
        refused = asking(session, 401, seen)
        assert isinstance(refused, Refused)
        assert "the key was revoked" in refused.detail
    assert len(seen) == 1
    assert (sessions.find(token), sessions.why_over(token)) == (None, "the key was revoked")


def test_any_other_refusal_leaves_the_session_open() -> None:
    _, session = begun(Sessions())
    for status in (400, 403, 404, 503):
        assert isinstance(asking(session, status, []), Refused)
        assert not session.is_over()


def test_failures_of_one_address_keep_it_waiting_and_no_other() -> None:
    brake = Brake()
    for _ in range(MOST_OF_ONE):
        assert brake.seconds_to_wait("one") == 0
        brake.tried("one")
    assert 0 < brake.seconds_to_wait("one") <= SECONDS
    assert brake.seconds_to_wait("other") == 0


def test_failures_of_all_keep_everybody_waiting() -> None:
    brake = Brake()
    for number in range(MOST_OF_ALL):
        assert brake.seconds_to_wait("other") == 0
        brake.tried(f"address {number}")
    assert 0 < brake.seconds_to_wait("other") <= SECONDS


def test_who_signs_in_well_is_never_kept_waiting() -> None:
    brake = Brake()
    for _ in range(10 * MOST_OF_ONE):
        brake.succeeded(brake.tried("one"))
    assert brake.seconds_to_wait("one") == 0


HERE = "ledger.example:8000"


@pytest.mark.parametrize(
    ("sent", "is_own"),
    [
        ({}, True),
        ({"origin": f"http://{HERE}"}, True),
        ({"origin": f"https://{HERE}"}, True),
        ({"origin": "http://ledger.example"}, False),
        ({"origin": "http://evil.example"}, False),
        ({"origin": f"http://{HERE}.evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"origin": f"http://{HERE}", "sec-fetch-site": "same-site"}, False),
    ],
)
def test_a_request_is_taken_from_the_host_that_it_was_sent_to(sent: dict[str, str], is_own: bool) -> None:
    assert Origins(OriginSettings()).is_own(Headers({"host": HERE, **sent})) is is_own


def test_behind_a_proxy_the_address_that_browsers_are_shown_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_CONSOLE_ORIGIN", "https://Ledger.example.com/")
    origins = Origins()
    assert origins.is_own(Headers({"host": HERE, "origin": "https://ledger.example.com"}))
    assert not origins.is_own(Headers({"host": HERE, "origin": f"http://{HERE}"}))
    assert not origins.is_own(Headers({"host": HERE, "origin": "http://ledger.example.com"}))
    assert origins.is_secure("http")


def test_a_cookie_is_for_https_alone_where_that_is_used() -> None:
    origins = Origins(OriginSettings())
    assert (origins.is_secure("http"), origins.is_secure("https")) == (False, True)
    assert not Origins(OriginSettings(console_origin="http://ledger.example.com")).is_secure("http")


@pytest.mark.parametrize("stated", ["ledger.example.com", "ftp://x", "https://", "https://x/console", "https://x?y"])
def test_what_is_no_origin_is_refused_when_the_server_starts(stated: str) -> None:
    with pytest.raises(ValidationError, match="is no origin"):
        OriginSettings(console_origin=stated)
