"""The embedded server outlives whatever is killed, is shared by all who want it, and goes with the last of them."""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.binaries import INSTALLATION, PACKAGE, CannotStart, ServerUser, find_binaries
from ledger.embedded import EmbeddedServer
from ledger.postgres import connect
from tests.databases import answers, make_home, remove_home
from tests.ledger.server_users import attached, kill, leave, start_user

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")


@pytest.fixture
def empty_home() -> Iterator[Path]:
    """A home folder with nothing in it, where nothing runs any more afterwards."""
    folder = make_home()
    yield folder
    remove_home(folder)


@pytest.fixture(scope="module")
def made_home() -> Iterator[Path]:
    """A home folder whose server was started and stopped again, as the first start takes seconds of work."""
    folder = make_home()
    with EmbeddedServer(folder):
        pass
    yield folder
    remove_home(folder)


@pytest.fixture
def home(empty_home: Path, made_home: Path) -> Path:
    """A home folder as the last user left it, where nothing runs any more afterwards."""
    subprocess.run(["cp", "-a", made_home / "data", empty_home], check=True)
    return empty_home


@pytest.fixture
def server(home: Path) -> EmbeddedServer:
    """The server of the home folder, not started."""
    return EmbeddedServer(home)


def wait_until(condition: Callable[[], object], timeout_seconds: float = 20.0) -> None:
    """Waits for a condition, in steps of 2 ms."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.002)


def server_process(home: Path) -> int:
    """The number of the server's process."""
    return int((home / "data" / "postmaster.pid").read_text().split()[0])


def kill_server(home: Path) -> None:
    """Kills the server with SIGKILL and waits until its children have noticed."""
    os.kill(server_process(home), signal.SIGKILL)
    wait_until(lambda: not EmbeddedServer(home).is_running())


def write_row(url: str) -> None:
    """Commits one row to a table of notes."""
    with connect(url) as connection:
        connection.execute("create table if not exists notes (note text)")
        connection.execute("insert into notes values ('kept')")


def count_rows(url: str) -> int:
    """The number of committed notes."""
    with connect(url) as connection:
        row = connection.execute("select count(*) from notes").fetchone()
    assert row is not None
    return int(row[0])


def test_the_last_user_stops_the_server(home: Path, server: EmbeddedServer) -> None:
    first, second = start_user(home), start_user(home)
    url = attached(first)
    assert attached(second) == url
    leave(first)
    assert answers(url)
    leave(second)
    assert not server.is_running()


def test_a_server_that_was_stopped_starts_again_with_its_rows(server: EmbeddedServer) -> None:
    with server as url:
        write_row(url)
    assert not server.is_running()
    with server as url:
        assert count_rows(url) == 1


def test_attaching_twice_changes_nothing(home: Path, server: EmbeddedServer) -> None:
    with server as url:
        process = server_process(home)
        assert server.attach() == url
        assert server_process(home) == process


def test_five_starters_at_once_share_one_server(empty_home: Path) -> None:
    server = EmbeddedServer(empty_home)
    users = [start_user(empty_home) for _ in range(5)]
    urls = {attached(user) for user in users}
    assert urls == {server.url}
    assert (empty_home / "server.log").read_text().count("starting PostgreSQL") == 1
    leave(*users)
    assert not server.is_running()


def test_users_that_come_and_go_at_once_always_find_a_server(home: Path) -> None:
    found: list[bool] = []

    def come_and_go() -> None:
        for _ in range(5):
            with EmbeddedServer(home) as url:
                found.append(answers(url))

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 20
    assert not EmbeddedServer(home).is_running()


def test_killing_the_starter_leaves_the_server_to_the_next(home: Path, server: EmbeddedServer) -> None:
    starter = start_user(home)
    url = attached(starter)
    process = server_process(home)
    kill(starter)
    assert answers(url)
    following = start_user(home)
    assert attached(following) == url
    assert server_process(home) == process
    leave(following)
    assert not server.is_running()


def test_killing_the_server_lets_the_same_user_start_it_again(home: Path, server: EmbeddedServer) -> None:
    with server as url:
        write_row(url)
        kill_server(home)
        assert not answers(url)
        assert server.attach() == url
        assert count_rows(url) == 1
    assert not server.is_running()


def test_killing_everything_loses_nothing_that_was_committed(home: Path, server: EmbeddedServer) -> None:
    users = [start_user(home), start_user(home)]
    url = {attached(user) for user in users}.pop()
    write_row(url)
    kill(*users)
    kill_server(home)
    with server:
        assert count_rows(url) == 1


@pytest.mark.parametrize("with_initdb", [False, True])
def test_killing_the_starter_during_initdb_leaves_nothing_to_be_believed(empty_home: Path, with_initdb: bool) -> None:
    starter = start_user(empty_home)
    wait_until(lambda: list(empty_home.glob("data.new-*/global/*")))
    children = Path(f"/proc/{starter.pid}/task/{starter.pid}/children").read_text().split()
    kill(starter)
    for child in children if with_initdb else []:
        os.kill(int(child), signal.SIGKILL)
    assert not (empty_home / "data").exists()
    with EmbeddedServer(empty_home) as url:
        assert answers(url)
    assert not list(empty_home.glob("data.new-*"))


def test_recovery_is_waited_for_by_everyone(home: Path, server: EmbeddedServer) -> None:
    with server as url, connect(url) as connection:
        connection.execute("create table notes (note text)")
        connection.execute("insert into notes select repeat('x', 200) from generate_series(1, 300000)")
        connection.commit()
        kill_server(home)
        users = [start_user(home) for _ in range(3)]
        assert {attached(user) for user in users} == {url}
        assert count_rows(url) == 300_000
        leave(*users)
    assert "automatic recovery in progress" in (home / "server.log").read_text()


def test_a_stale_number_that_another_process_bears_is_not_believed(home: Path, server: EmbeddedServer) -> None:
    with server as url:
        write_row(url)
        pid_file = home / "data" / "postmaster.pid"
        number, _, rest = pid_file.read_text().partition("\n")
        options = ServerUser.for_data(home / "data").popen_options
        with subprocess.Popen(["sleep", "60"], **options) as other:
            kill_server(home)
            for file in (pid_file, server.socket_folder / ".s.PGSQL.5432.lock"):
                file.write_text(f"{other.pid}\n{file.read_text().partition(chr(10))[2]}")
            assert pid_file.read_text() == f"{other.pid}\n{rest}" != f"{number}\n{rest}"
            assert server.attach() == url
            assert count_rows(url) == 1
            assert other.poll() is None
            other.kill()


def test_a_home_with_odd_signs_works(empty_home: Path) -> None:
    with EmbeddedServer(empty_home / "a 'folder' \"quoted\" %41 ü") as url:
        assert answers(url)


@pytest.mark.parametrize("name", ["n" * 90, 'a folder, "quoted"'])
def test_a_home_whose_path_libpq_cannot_take_has_its_socket_elsewhere(empty_home: Path, name: str) -> None:
    server = EmbeddedServer(empty_home / name)
    with server as url:
        assert answers(url)
        assert len(os.fsencode(server.socket_folder / ".s.PGSQL.5432")) <= 107
    assert server.socket_folder.parent == Path("/tmp")
    server.socket_folder.rmdir()


def test_the_server_listens_on_its_socket_only_and_keeps_every_commit(empty_home: Path) -> None:
    server = EmbeddedServer(empty_home)
    with server as url, connect(url) as connection:
        names = ["listen_addresses", "data_checksums", "fsync", "synchronous_commit", "full_page_writes"]
        settings = [connection.execute("select current_setting(%s)", [name]).fetchone() for name in names]
        assert settings == [("",), ("on",), ("on",), ("on",), ("on",)]
        assert empty_home.joinpath("data").stat().st_mode & 0o777 == 0o700
        assert server.socket_folder.stat().st_mode & 0o777 == 0o700


def test_a_server_that_cannot_start_is_refused_in_its_own_words(home: Path, server: EmbeddedServer) -> None:
    with server:
        pass
    (home / "data" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(CannotStart, match=r"initialized by PostgreSQL version 9\.6"):
        server.attach()
    server.detach()


@as_root
def test_a_home_that_the_servers_user_cannot_enter_is_refused(empty_home: Path) -> None:
    closed = empty_home / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedServer(closed / "home")
    with pytest.raises(CannotStart, match=f"user 65534, whom it runs as, may not enter {closed}: .*chmod o.x {closed}"):
        server.attach()
    server.detach()


@as_root
def test_binaries_that_the_servers_user_cannot_reach_are_copied(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = ServerUser.for_data(empty_home / "data")
    package = find_binaries(empty_home, user).parent.parent
    closed = empty_home / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(package / INSTALLATION, closed / PACKAGE / INSTALLATION)
    shutil.copytree(package.parent / f"{PACKAGE}.libs", closed / f"{PACKAGE}.libs")
    (closed / PACKAGE / "__init__.py").touch()
    starter = start_user(empty_home, PYTHONPATH=str(closed))
    assert answers(attached(starter))
    assert list(empty_home.glob(f"postgresql-*/{PACKAGE}/{INSTALLATION}/bin/postgres"))
    leave(starter)
