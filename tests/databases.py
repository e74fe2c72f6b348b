"""Fresh databases for tests: a new SQLite file, or a new database of a real PostgreSQL server."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

KINDS = ("sqlite", "postgresql")


def sqlite(file: Path) -> str:
    """The URL of a database in a file."""
    return f"sqlite:///{file}"


@contextmanager
def postgresql() -> Iterator[Callable[[], str]]:
    """A server of its own, reached by a socket alone; each call makes a database, told by URL."""
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), *_path()]
    initdb = next((p / "initdb" for p in places if (p / "initdb").exists()), None)
    if initdb is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("PostgreSQL is not installed")
    # The server refuses to run as root; its own user must be able to enter the folder.
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="placet-"))
    if user:
        shutil.chown(folder, user, user)

    def run(command: str, *arguments: str) -> None:
        subprocess.run(
            [initdb.with_name(command), "-D", folder / "data", *arguments],
            check=True,
            cwd=folder,
            user=user,
            group=user,
            extra_groups=[] if user else None,
            stdout=subprocess.DEVNULL,
        )

    options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=50"
    number = count()

    def fresh() -> str:
        name = f"placet_{next(number)}"
        with psycopg.connect(f"host={folder} user=postgres", autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name}")
        return f"postgresql://postgres@/{name}?host={folder}"

    try:
        run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-N")
        run("pg_ctl", "start", "-w", "-o", options, "-l", str(folder / "log"))
        try:
            yield fresh
        finally:
            run("pg_ctl", "stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _path() -> list[Path]:
    return [Path(entry) for entry in os.environ.get("PATH", "").split(os.pathsep) if entry]
