"""The console's safety as browsers meet it: headers, other sites, signing in, sockets, and sessions that end."""

from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from api.console.guard import ASSETS
from api.console.socket import RELOAD
from ledger.postgres import connect
from tests.api.command_line import served
from tests.api.console_socket import client_of, socket_of
from tests.api.console_socket import told as told_to_page
from tests.api.console_visitor import Visitor, html_of
from tests.api.house import House, wait_until

SCRIPT_FILE = f"{ASSETS[0].removeprefix('/console')}nicegui.js"


@pytest.fixture(scope="module")
def address(told: House) -> Iterator[str]:
    with served(told.url, "api") as address:
        yield address


@pytest.fixture
def guest(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{address}/console", timeout=60, trust_env=False) as http:
        yield http


@pytest.fixture
def auditor(told: House, address: str) -> Visitor:
    return Visitor(address, told.key("auditor"))


def policy_of(answer: httpx.Response) -> dict[str, str]:
    directives = (one.strip().partition(" ") for one in answer.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in directives}


def test_every_answer_of_the_console_forbids_the_browser_what_no_page_needs(
    auditor: Visitor, guest: httpx.Client, address: str
) -> None:
    answers = [auditor.http.get(path) for path in ("/", "/accounts/alice", "/accounts/nobody", "/nothing", "/sign-in")]
    answers += [auditor.file("loans.csv"), auditor.http.get("/events/rows?before=9"), guest.get(SCRIPT_FILE)]
    answers += [guest.get("/accounts"), guest.post("/sign-in", data={"key": "no"}), guest.get("/_nicegui/x")]
    answers += [httpx.get(f"{address}/console", trust_env=False), guest.get("/accounts/" + "x" * 9000)]
    for answer in answers:
        policy = policy_of(answer)
        assert "'unsafe-inline'" not in policy["script-src"], answer.url
        assert [policy[name] for name in ("default-src", "form-action", "connect-src")] == ["'self'"] * 3
        assert [policy[name] for name in ("object-src", "base-uri", "frame-ancestors")] == ["'none'"] * 3
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"


def test_only_the_librarys_own_files_are_kept_by_the_browser(auditor: Visitor, guest: httpx.Client) -> None:
    for path in ("/", "/accounts/alice", "/download/loans.csv", "/events/rows", "/nothing", "/sign-in"):
        assert auditor.http.get(path).headers["cache-control"] == "no-store", path
    assert guest.get(SCRIPT_FILE).headers["cache-control"].endswith("immutable")
    assert guest.get(f"{SCRIPT_FILE}.not").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/accounts/alice", "/events", "/liquidations", "/reports/what-if", "/sign-in"])
def test_every_script_of_a_page_has_the_nonce_of_its_answer_and_no_other_has_it(auditor: Visitor, path: str) -> None:
    first, second = auditor.http.get(path), auditor.http.get(path)
    nonce = policy_of(first)["script-src"].split("'nonce-")[1].split("'")[0]
    assert first.text.count("<script") == first.text.count(f'<script nonce="{nonce}"') > 0
    assert nonce not in second.text
    assert " onclick=" not in first.text


def test_what_is_not_the_consoles_has_none_of_its_headers(address: str) -> None:
    answer = httpx.get(f"{address}/health", trust_env=False)
    assert "content-security-policy" not in answer.headers


def test_a_cookie_is_for_the_console_alone_and_no_script_reads_it(told: House, guest: httpx.Client) -> None:
    answer = guest.post("/sign-in", data={"key": told.key("auditor")})
    parts = answer.headers["set-cookie"].split("; ")
    assert {"HttpOnly", "Path=/console", "Max-Age=43200", "SameSite=lax"} <= set(parts)
    assert len(parts[0]) > len("ledger_console=") + 40


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_what_another_site_sends_is_refused(told: House, address: str, headers: dict[str, str]) -> None:
    operator, end = Visitor(address, told.key("operator")), told.log_end()
    for path in ("/sign-in", "/sign-out", "/operations/freeze_account"):
        answer = operator.http.post(path, data={"key": told.key("operator")}, headers=headers)
        assert answer.status_code == 403, path
        assert "set-cookie" not in answer.headers
    assert told.log_end() == end
    assert operator.http.get("/accounts").status_code == 200


def test_what_a_page_of_the_console_sends_is_taken(told: House, address: str) -> None:
    headers = {"Origin": address, "Sec-Fetch-Site": "same-origin"}
    answer = httpx.post(
        f"{address}/console/sign-in", data={"key": told.key("auditor")}, headers=headers, trust_env=False
    )
    assert answer.status_code == 303


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "https://evil.example",
        "/console//evil.example\r\nX: y",
        "/console/\\evil.example",
        "\\\\evil.example",
        "/console/../docs",
        "/docs",
        "javascript:alert(1)",
        "/console/sign-in?next=/console/sign-in",
        "/console/é",
        " /console/accounts",
    ],
)
def test_signing_in_leads_nowhere_else(told: House, guest: httpx.Client, elsewhere: str) -> None:
    answer = guest.post("/sign-in", data={"key": told.key("auditor"), "next": elsewhere})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/")
    assert 'name="next" value="/console/"' in guest.get("/sign-in", params={"next": elsewhere}).text


def test_signing_in_leads_back_to_where_one_wanted_to_go(told: House, guest: httpx.Client) -> None:
    led = guest.get("/events?topic=funds.deposited&account_id=alice")
    assert led.status_code == 303
    form = guest.get(led.headers["location"].removeprefix("/console")).text
    assert 'value="/console/events?topic=funds.deposited&amp;account_id=alice"' in form


def test_a_customer_is_told_that_the_console_is_for_the_staff(told: House, guest: httpx.Client) -> None:
    answer = guest.post("/sign-in", data={"key": told.key("alice")})
    assert answer.status_code == 403
    assert "is that of the customer of account alice; the console is for the staff" in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("purpose", "said"), [("x" * 201, "The purpose has 201 characters"), ("two\nlines", "control characters")]
)
def test_a_purpose_that_cannot_be_kept_is_refused_in_the_apis_words(
    told: House, guest: httpx.Client, purpose: str, said: str
) -> None:
    answer = guest.post("/sign-in", data={"key": told.key("auditor"), "purpose": purpose})
    assert answer.status_code == 400
    assert said in answer.text


def test_signing_in_anew_ends_the_session_before(told: House, auditor: Visitor) -> None:
    before = dict(auditor.http.cookies)
    auditor.http.post("/sign-in", data={"key": told.key("auditor")})
    assert auditor.http.get("/accounts").status_code == 200
    auditor.http.cookies.clear()
    assert auditor.http.get("/accounts", headers={"Cookie": f"ledger_console={before['ledger_console']}"}).is_redirect


@pytest.mark.parametrize(
    "path",
    ["/", "/accounts/alice", "/events/1", "/download/loans.csv", "/events/rows", "/nothing", "/docs", "/openapi.json"],
)
def test_who_is_not_signed_in_is_led_to_the_sign_in_page(guest: httpx.Client, path: str) -> None:
    answer = guest.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/console/sign-in?next=%2Fconsole")


@pytest.mark.parametrize("kind", ["dynamic_resources/x", "client/x/upload/1"])
def test_what_pages_have_made_is_for_who_is_signed_in(guest: httpx.Client, kind: str) -> None:
    for path in (f"{ASSETS[0].removeprefix('/console').removesuffix('static/')}{kind}", f"/_nicegui/{kind}"):
        assert guest.get(path).status_code == 303
        assert guest.post(path).status_code == 303


def test_a_part_of_a_list_without_a_session_is_refused_in_words(guest: httpx.Client) -> None:
    answer = guest.get("/events/rows", headers={"X-Console-Part": "1"})
    assert (answer.status_code, "sign in again" in answer.text) == (401, True)


def test_no_header_moves_the_addresses_of_a_page(auditor: Visitor) -> None:
    answer = auditor.http.get("/accounts", headers={"X-Forwarded-Prefix": "https://evil.example"})
    assert "evil.example" not in answer.text


def test_a_page_is_told_what_is_new_by_its_socket(auditor: Visitor, address: str) -> None:
    with socket_of(auditor, client_of(auditor.http.get("/accounts/alice").text), origin=address) as socket:
        assert next(told_to_page(socket)).startswith("42[")


@pytest.mark.parametrize(
    "case", ["no session", "an unknown session", "another site", "another's page", "no page", "two pages"]
)
def test_a_socket_is_for_a_page_of_its_own_session_and_site(
    told: House, auditor: Visitor, address: str, case: str
) -> None:
    client_id = client_of(auditor.http.get("/").text)
    cookies = {"no session": "", "an unknown session": "ledger_console=x"}.get(case)
    visitor = Visitor(address, told.key("operator")) if case == "another's page" else auditor
    origin = "https://evil.example" if case == "another site" else address
    named = {"no page": [], "two pages": [client_id, client_id]}.get(case, [client_id])
    with pytest.raises(InvalidStatus, match="403"), socket_of(visitor, *named, cookies=cookies, origin=origin):
        pass


def test_the_librarys_polling_is_refused_to_everybody(auditor: Visitor, guest: httpx.Client) -> None:
    for http in (auditor.http, guest):
        for method in ("GET", "POST", "OPTIONS"):
            answer = http.request(method, "/_nicegui_ws/socket.io/?EIO=4&transport=polling")
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers


def test_signing_out_closes_the_sockets_of_all_open_pages(auditor: Visitor) -> None:
    ids = [client_of(auditor.http.get(path).text) for path in ("/accounts/alice", "/events")]
    cookies = f"ledger_console={auditor.http.cookies['ledger_console']}"
    with socket_of(auditor, ids[0]) as first, socket_of(auditor, ids[1]) as second:
        auditor.http.post("/sign-out")
        assert [*told_to_page(first)][-1] == [*told_to_page(second)][-1] == RELOAD
    auditor.http.cookies.clear()
    with pytest.raises(InvalidStatus, match="403"), socket_of(auditor, ids[0], cookies=cookies):
        pass


def test_a_revoked_key_ends_its_session_and_its_open_pages_and_says_why(told: House, address: str) -> None:
    key = told.ask("POST", "/v1/keys", json={"name": "leaver", "role": "auditor"}).json()["key"]
    leaver = Visitor(address, key)
    with socket_of(leaver, client_of(leaver.http.get("/events").text)) as socket:
        assert told.ask("DELETE", "/v1/keys/leaver").status_code == 200
        assert [*told_to_page(socket)][-1] == RELOAD
    led = leaver.http.get("/events/1")
    assert led.headers["location"] == "/console/sign-in?next=%2Fconsole%2Fevents%2F1"
    form = leaver.http.get(led.headers["location"].removeprefix("/console")).text
    assert "Your session is over: the key leaver was revoked at 20" in form


def test_a_changed_role_counts_within_a_second(told: House, address: str) -> None:
    key = told.ask("POST", "/v1/keys", json={"name": "mover", "role": "operator"}).json()["key"]
    mover = Visitor(address, key)
    assert 'name="account_id"' in html_of(mover.http.get("/operations/freeze_account").text)
    with connect(told.url, autocommit=True) as connection:
        connection.execute("update api_keys set role = 'auditor' where name = 'mover'")
    wait_until(lambda: 'name="account_id"' not in html_of(mover.http.get("/operations/freeze_account").text))
    assert "auditor:mover" in html_of(mover.http.get("/operations/freeze_account").text)


def test_too_many_wrong_keys_are_told_to_wait_and_a_good_one_then_too(told: House) -> None:
    with (
        served(told.url, "api") as address,
        httpx.Client(base_url=f"{address}/console", timeout=60, trust_env=False) as http,
    ):
        tries = [http.post("/sign-in", data={"key": f"wrong {number}"}) for number in range(11)]
        assert [one.status_code for one in tries] == [401] * 10 + [429]
        assert "sign in again in" in tries[-1].text
        assert http.post("/sign-in", data={"key": told.key("auditor")}).status_code == 429
        assert told.get("/v1/market").status_code == 200
