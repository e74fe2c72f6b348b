"""Keys are read from lines, kept as hashes, and opened by their secret alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.keys import key_of, new_key, read_keys
from api.settings import Serving, serving

HASH = hashlib.sha256(b"a secret").hexdigest()
OTHER = hashlib.sha256(b"another secret").hexdigest()


@pytest.mark.parametrize("name", ["li", "li.na@example.com", "build-7", "李娜", "x" * 64])
def test_a_new_key_opens_with_its_secret_and_nothing_else(name: str) -> None:
    secret, line = new_key(name, "draft")
    keys = read_keys([line])
    found = key_of(keys, secret.encode())
    assert found is not None
    assert (found.name, found.role) == (name, "draft")
    assert key_of(keys, secret.encode()[:-1]) is None
    assert key_of(keys, b"") is None
    assert secret not in line
    assert secret not in repr(keys)


@pytest.mark.parametrize("name", ["", "two words", "x" * 65, "a:b", "a\nb", "a#b", "a;b"])
def test_a_name_that_could_not_be_read_back_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a name has 1 to 64"):
        new_key(name, "read")


def test_lines_may_be_blank_or_carry_a_remark() -> None:
    text = f"# who; may what\n\n li  read  sha256:{HASH} # until June; then asks again\r\n"
    (key,) = read_keys(text.split("\n"))
    assert (key.name, key.role, key.digest.hex()) == ("li", "read", HASH)


@pytest.mark.parametrize(
    "line",
    [
        "placet_TheSecretItself",
        "li read placet_TheSecretItself",
        f"li write sha256:{HASH}",
        f"li read sha256:{HASH[:-1]}",
        f"li read sha256:{HASH.upper()}",
        f"li read md5:{HASH}",
        f"li read sha256:{HASH} more",
        f"read sha256:{HASH}",
    ],
)
def test_a_malformed_line_is_named_and_never_quoted(line: str) -> None:
    with pytest.raises(ValueError, match=r"^line 3 ") as raised:
        read_keys([f"chen read sha256:{OTHER}", "", line])
    assert "Secret" not in str(raised.value)
    assert HASH[:20] not in str(raised.value)


@pytest.mark.parametrize(
    ("line", "what"),
    [(f"li draft sha256:{OTHER}", "name"), (f"chen read sha256:{HASH}", "secret")],
)
def test_each_key_has_a_name_and_a_secret_of_its_own(line: str, what: str) -> None:
    with pytest.raises(ValueError, match=f"^line 2 has the {what} of a line above"):
        read_keys([f"li read sha256:{HASH}", line])


def test_keys_come_from_the_environment_or_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"\ufeffli read sha256:{HASH}\nchen draft sha256:{OTHER}\n", "utf-8")
    lines = f"li read sha256:{HASH};chen draft sha256:{OTHER}"
    assert serving({"PLACET_KEYS_FILE": str(file)}).keys == serving({"PLACET_KEYS": lines}).keys
    assert [key.name for key in serving({"PLACET_KEYS": lines}).keys] == ["li", "chen"]
    assert serving({}).keys == ()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "PLACET_KEYS_FILE cannot be read: No such file or directory"),
        (b"", "PLACET_KEYS_FILE has no key in it"),
        (b"# nobody yet\n", "PLACET_KEYS_FILE has no key in it"),
        (b"\xff\xfe", "PLACET_KEYS_FILE is not UTF-8 text"),
        (b"\nplacet_TheSecretItself\n", "PLACET_KEYS_FILE: line 2 is not"),
    ],
)
def test_a_service_does_not_start_open_where_keys_were_meant(
    tmp_path: Path, content: bytes | None, told: str
) -> None:
    file = tmp_path / "keys"
    if content is not None:
        file.write_bytes(content)
    run = CliRunner().invoke(app, ["serve"], env={"PLACET_KEYS_FILE": str(file)})
    assert run.exit_code == 2
    assert run.stderr.startswith(f"placet serve: {told}")
    assert "Secret" not in run.output


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLACET_KEYS", " ; "),
        ("PLACET_RATE", "many"),
        ("PLACET_RATE", "0/second"),
        ("PLACET_SECONDS", "0"),
        ("PLACET_SECONDS", "1e3"),
        ("PLACET_WORKERS", "-1"),
        ("PLACET_CONNECTIONS", "٣"),
        ("PLACET_HEAD_SECONDS", "x"),
        ("PLACET_STOP_SECONDS", "601"),
        ("PLACET_LOG_CONTENTS", "maybe"),
    ],
)
def test_a_setting_that_says_nothing_is_told_by_name(name: str, value: str) -> None:
    run = CliRunner().invoke(app, ["serve"], env={name: value})
    assert run.exit_code == 2
    assert run.stderr.startswith(f"placet serve: {name}")
    assert "Traceback" not in run.output


def test_settings_are_as_written() -> None:
    environ = {"PLACET_HOSTS": "a.example, b.example", "PLACET_RATE": "5/second"}
    assert serving(environ | {"PLACET_LOG_CONTENTS": "1"}) == Serving(
        hosts=("a.example", "b.example"), rate="5/second", log_contents=True
    )
    assert not serving({"PLACET_LOG_CONTENTS": "0"}).log_contents


def test_placet_key_gives_the_secret_to_a_pipe_and_the_line_to_a_person() -> None:
    run = CliRunner().invoke(app, ["key", "li", "--role", "draft"])
    assert run.exit_code == 0
    secret = run.stdout.strip()
    line = run.stderr.strip().splitlines()[-1]
    (key,) = read_keys([line])
    assert run.stdout == f"{secret}\n"
    assert key_of([key], secret.encode()) == key
    assert (key.name, key.role) == ("li", "draft")
    assert "chmod 600" in run.stderr
    assert secret not in run.stderr


@pytest.mark.parametrize("arguments", [["two words"], ["li", "--role", "admin"], [""]])
def test_placet_key_refuses_what_no_line_could_say(arguments: list[str]) -> None:
    run = CliRunner().invoke(app, ["key", *arguments])
    assert run.exit_code == 2
    assert run.stdout == ""
