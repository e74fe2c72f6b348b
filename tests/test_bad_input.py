"""What cannot be read is refused with a code and a place: no crash, no guess, no traceback."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli import app
from engine.fault_codes import CODES

ROOT = Path(__file__).parent.parent
BASE = Path(__file__).parent / "bad_rules" / "base"
_PLACE = re.compile(r"^(.+?):([0-9]+):([0-9]+): error ([RVOW][0-9]{3}): ", re.MULTILINE)
_LEAKED = re.compile(r"Traceback|\b(?:None|True|False|NoneType|dict|str)\b|\b[A-Za-z]+Error\b")


# The rules of h200-article, all of which wait for a fact of an order of which little is known.
ARTICLE = (
    "multi-agency-review",
    "non-military-pledge",
    "civil-end-use",
    "transaction-fee",
    "customer-cap",
    "full-prepayment",
    "no-cancellation",
    "no-refund",
    "no-configuration-change",
)


@dataclass(frozen=True)
class Told:
    """What a run of the command said: its exit code, streams, and faults as (code, underlined)."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def codes(self) -> list[str]:
        return [match[4] for match in _PLACE.finditer(self.stderr)]

    @property
    def places(self) -> list[tuple[str, int, int]]:
        return [(m[1], int(m[2]), int(m[3])) for m in _PLACE.finditer(self.stderr)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder in which the command writes nothing."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("PLACET_RULES", str(ROOT / "rules"))
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    yield here
    assert list(here.iterdir()) == []


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """Where a test writes what it gives to the command."""
    made = tmp_path / "inputs"
    made.mkdir()
    return made


def run(*words: str | Path) -> Told:
    """Run the command in this process; a crash of it is a crash of the test."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Told(result.exit_code, result.stdout, result.stderr)


def run_alone(*words: str | bytes | Path, stdin: bytes = b"") -> Told:
    """Run the command as its own process."""
    given = [os.fsencode(word) for word in words]
    command = [os.fsencode(sys.executable), b"-c", b"from api.cli import main; main()", *given]
    done = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONIOENCODING": "utf-8:strict",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )
    return Told(
        done.returncode,
        done.stdout.decode("utf-8", "strict"),
        done.stderr.decode("utf-8", "replace"),
    )


def is_refused(told: Told, *codes: str) -> None:
    """Assert a refusal: exit 1, exactly these codes in this order, each with a place, no leak."""
    assert told.exit_code == 1, told.stderr
    assert told.codes == list(codes), told.stderr
    assert set(told.codes) <= set(CODES)
    source = "\n".join(line for line in told.stderr.split("\n") if " | " in line)
    messages = "\n".join(line for line in told.stderr.split("\n") if " | " not in line)
    messages = re.sub(r"`([^`]*)`", lambda m: "" if m[1] in source else m[0], messages)
    assert not _LEAKED.search(messages), messages


def envelope(facts: str) -> str:
    return f"regime: h200-article\nas_of: 2026-02-01\nfacts:\n  {facts}\n"


def in_json(facts: str) -> str:
    return f'{{"regime": "h200-article", "as_of": "2026-02-01", "facts": {{{facts}}}}}'


def marked(stderr: str) -> str:
    """The text that the first fault underlines, where no wide character stands in its line."""
    shown, carets = (line[8:] for line in stderr.split("\n")[1:3])
    return shown[carets.index("^") : carets.index("^") + carets.count("^")]


# --- single facts ---

_BAD_FACTS = {
    "unknown fact": ("order.quantitiy: 5", "O201", "order.quantitiy"),
    "unknown nested fact": ("order: {quantitiy: 5}", "O201", "quantitiy"),
    "unknown group of facts": ("ordr: {quantity: 5}", "O201", "ordr"),
    "word for a number": ("order.quantity: many", "O202", "many"),
    "list for a number": ("order.quantity: [5]", "O202", None),
    "names for a number": ("order.quantity: {value: 5}", "O202", None),
    "number for a group of facts": ("order: 5", "O103", "5"),
    "not a number": ("order.quantity: .nan", "O202", ".nan"),
    "infinity": ("order.unit_price: .inf", "O202", ".inf"),
    "huge exponent": ("order.quantity: 1e400", "O202", "1e400"),
    "exponent": ('order.quantity: "1e5"', "O202", '"1e5"'),
    "true for a number": ("order.quantity: true", "O202", "true"),
    "number for a yes": ("pledge.submitted: 1", "O202", "1"),
    "YAML's own yes": ("pledge.submitted: yes", "O202", "yes"),
    "capital true": ("pledge.submitted: True", "O202", "True"),
    "negative quantity": ("order.quantity: -5", "O203", "-5"),
    "quantity of zero": ("order.quantity: 0", "O203", "0"),
    "quantity over its bound": ("order.quantity: 10000001", "O203", "10000001"),
    "quantity of fifty digits": (f"order.quantity: {'9' * 50}", "O202", "9" * 50),
    "fraction of a chip": ("order.quantity: 5.0", "O202", "5.0"),
    "three decimals of money": ('order.unit_price: "1.005"', "O202", '"1.005"'),
    "one decimal of money": ('order.unit_price: "27000.5"', "O202", '"27000.5"'),
    "price over its bound": ('order.unit_price: "1000000.01"', "O203", '"1000000.01"'),
    "thousands separators": ('order.quantity: "20,000"', "O202", '"20,000"'),
    "underscores": ("order.quantity: 20_000", "O202", "20_000"),
    "plus sign": ("order.quantity: +5", "O202", "+5"),
    "hexadecimal": ("order.quantity: 0x10", "O202", "0x10"),
    "blank around a number": ('order.quantity: " 5"', "O202", '" 5"'),
    "three decimals of two": ("item.tpp: 15832.001", "O202", "15832.001"),
    "unknown country": ("order.destination: XX", "O204", "XX"),
    "country in small letters": ("order.destination: cn", "O204", "cn"),
    "unknown product": ("item.product: H200-SXMM", "O204", "H200-SXMM"),
    "unknown answer": ("review.state: pending", "O204", "pending"),
    "date that does not exist": ("order.placed_on: 2026-02-30", "O202", "2026-02-30"),
    "leap day of a common year": ("order.placed_on: 2026-02-29", "O202", "2026-02-29"),
    "date the American way": ("order.placed_on: 02/01/2026", "O202", "02/01/2026"),
    "date with a time": ("order.placed_on: 2026-02-01T00:00:00", "O202", "2026-02-01T00:00:00"),
    "week date": ("order.placed_on: 2026-W01-1", "O202", "2026-W01-1"),
    "derived fact stated": ("order.value: 540000000.00", "O205", "540000000.00"),
    "derived count stated": ("order.chips: 20000", "O205", "20000"),
    "text too long": (f"customer.name: {'x' * 501}", "O203", None),
}


@pytest.mark.parametrize("case", _BAD_FACTS)
def test_a_bad_fact_is_refused_where_it_stands(case: str, folder: Path, inputs: Path) -> None:
    facts, code, underlined = _BAD_FACTS[case]
    file = inputs / "order.yaml"
    file.write_text(envelope(facts), encoding="utf-8")
    told = run("decide", file)
    is_refused(told, code)
    assert told.places[0][:2] == (str(file), 4)
    if underlined is not None:
        assert marked(told.stderr) == underlined
    assert told.stdout == ""


_BAD_JSON_FACTS = {
    "number for money": ('"order.unit_price": 27000.00', "O202", "27000.00"),
    "whole number for money": ('"order.unit_price": 27000', "O202", "27000"),
    "number for a decimal": ('"item.tpp": 15832', "O202", "15832"),
    "number with a fraction for a count": ('"order.quantity": 20000.0', "O202", "20000.0"),
    "exponent": ('"order.quantity": 1e5', "O202", "1e5"),
    "huge exponent": ('"order.quantity": 1e400', "O202", "1e400"),
    "not a number": ('"order.quantity": NaN', "O202", "NaN"),
    "infinity": ('"order.quantity": -Infinity', "O202", "-Infinity"),
    "true for a number": ('"order.quantity": true', "O202", "true"),
    "number for a yes": ('"pledge.submitted": 1', "O202", "1"),
    "number for a date": ('"order.placed_on": 20260201', "O202", "20260201"),
    "number for a code": ('"order.destination": 156', "O202", "156"),
    "negative quantity": ('"order.quantity": -1', "O203", "-1"),
    "quantity of fifty digits": (f'"order.quantity": {"9" * 50}', "O202", "9" * 50),
    "lone surrogate": ('"customer.name": "\\ud800"', "O004", None),
}


@pytest.mark.parametrize("case", _BAD_JSON_FACTS)
def test_a_bad_fact_in_json_is_refused_where_it_stands(
    case: str, folder: Path, inputs: Path
) -> None:
    facts, code, underlined = _BAD_JSON_FACTS[case]
    file = inputs / "order.json"
    file.write_text(in_json(facts), encoding="utf-8")
    told = run("decide", file)
    is_refused(told, code)
    assert told.places[0][:2] == (str(file), 1)
    if underlined is not None:
        assert marked(told.stderr) == underlined


@pytest.mark.parametrize("digits", ["２００００", "٢٠٠٠٠", "²", "5\u200b"])
def test_other_digits_than_0_to_9_are_refused(digits: str, folder: Path, inputs: Path) -> None:
    file = inputs / "order.yaml"
    file.write_text(envelope(f"order.quantity: {digits}"), encoding="utf-8")
    is_refused(run("decide", file), "O202")


@pytest.mark.parametrize(
    ("facts", "near"),
    [
        ("order.quantitiy: 5", "order.quantity"),
        ("order: {destinaton: CN}", "order.destination"),
        ("order.destination: cn", "CN"),
        ("item.product: H200-SXMM", "H200-SXM"),
        ("review.state: aprove", "approve"),
    ],
)
def test_the_help_names_the_nearest_known_name(
    facts: str, near: str, folder: Path, inputs: Path
) -> None:
    file = inputs / "order.yaml"
    file.write_text(envelope(facts), encoding="utf-8")
    assert f"did you mean `{near}`?" in run("decide", file).stderr


@pytest.mark.parametrize(
    ("facts", "offered"),
    [
        ("item.product: H200", ["H200-SXM", "H200-NVL"]),
        ("order.destination: Hong Kong", ["HK"]),
        ("order.destination: hong kong", ["HK"]),
        ("order.destination: 中国香港", ["HK"]),
    ],
)
def test_the_help_offers_the_codes_that_a_name_means(
    facts: str, offered: list[str], folder: Path, inputs: Path
) -> None:
    file = inputs / "order.yaml"
    file.write_text(envelope(facts), encoding="utf-8")
    told = run("decide", file)
    is_refused(told, "O204")
    [help] = [line for line in told.stderr.split("\n") if line.startswith("  help:")]
    assert re.findall("`(.+?)`", help) == offered


def test_a_regime_beside_facts_that_are_not_under_facts_is_explained(
    folder: Path, inputs: Path
) -> None:
    file = inputs / "order.yaml"
    file.write_text("regime: h200-article\norder.quantity: 5\n", encoding="utf-8")
    told = run("decide", file)
    is_refused(told, "O302")
    assert marked(told.stderr) == "regime"
    assert "`regime`" in told.stderr
    assert "`facts:`" in told.stderr


def test_a_full_width_colon_is_named_and_underlined(folder: Path, inputs: Path) -> None:
    file = inputs / "order.yaml"
    file.write_text("facts: {}\nregime： h200-article\n", encoding="utf-8")
    told = run("decide", file, "--regime", "h200-article")
    is_refused(told, "O004")
    assert told.places == [(str(file), 2, 7)]
    assert "full-width" in told.stderr


@pytest.mark.parametrize("name", ["order.a{}", "a{}.b", "x{}"])
def test_an_order_of_5000_unknown_facts_gets_a_bounded_answer(
    name: str, folder: Path, inputs: Path
) -> None:
    file = inputs / "order.yaml"
    lines = "".join(f"  {name.format(n)}: 5\n" for n in range(5_000))
    file.write_text(f"regime: h200-article\nfacts:\n{lines}", encoding="utf-8")
    told = run("decide", file)
    assert told.exit_code == 1
    assert set(told.codes) == {"O201"}
    assert 50 <= len(told.codes) <= 110
    assert [line for _, line, _ in told.places] == list(range(3, 3 + len(told.places)))


def test_a_fact_stated_nested_and_dotted_is_refused(folder: Path, inputs: Path) -> None:
    file = inputs / "order.yaml"
    file.write_text(envelope("order: {quantity: 5}\n  order.quantity: 6"), encoding="utf-8")
    told = run("decide", file)
    is_refused(told, "O207")
    assert told.places == [(str(file), 5, 19)]


def test_a_value_other_than_the_catalogue_s_is_refused(folder: Path, inputs: Path) -> None:
    file = inputs / "order.yaml"
    file.write_text(envelope("item: {product: H200-SXM, tpp: 20000}"), encoding="utf-8")
    told = run("decide", file)
    is_refused(told, "O206")
    assert marked(told.stderr) == "20000"
    assert "15832" in told.stderr


def test_the_catalogue_s_own_value_may_be_stated(folder: Path, inputs: Path) -> None:
    file = inputs / "order.yaml"
    file.write_text(envelope('item: {product: H200-SXM, tpp: "15832.00"}'), encoding="utf-8")
    assert run("decide", file).exit_code == 0


def test_every_fault_of_an_order_is_told_at_once(folder: Path, inputs: Path) -> None:
    file = inputs / "order.yaml"
    file.write_text(
        "regime: h200-article\n"
        "as_of: 2026-02-30\n"
        "note: x\n"
        "parameters: {cap: many, capp: 5}\n"
        "without: [customer-capp]\n"
        "facts:\n"
        "  order: {quantity: 0, destination: XX, unit_price: abc, value: 5.00}\n"
        "  item.product: H201\n"
        "  pledge.signed: 2026-01-01\n"
        "basis: {order.quantitiy: PO 1}\n",
        encoding="utf-8",
    )
    told = run("decide", file)
    is_refused(
        told,
        "O212", "O101", "O210", "O209", "O211", "O203", "O204", "O202", "O205", "O204", "O201",
        "O201",
    )  # fmt: skip
    assert told.places == sorted(told.places)


def test_an_unknown_regime_does_not_hide_faults_of_reading(folder: Path, inputs: Path) -> None:
    file = inputs / "order.yaml"
    file.write_text("regime: h200-articel\nregime: x\nfacts: {}\n", encoding="utf-8")
    is_refused(run("decide", file), "O005")


def test_an_unknown_regime_does_not_hide_the_faults_of_the_order(
    folder: Path, inputs: Path
) -> None:
    file = inputs / "order.yaml"
    file.write_text(
        "regime: nope\nas_of: 2026-02-30\nasof: x\nfacts:\n  order.quantity: x\n",
        encoding="utf-8",
    )
    is_refused(run("decide", file), "O208", "O212", "O101", "O202")


# --- whole documents ---

_DEEP = b"[" * 50_000
_BAD_FILES: dict[str, tuple[bytes, str]] = {
    "open bracket": (b"facts: {order: {quantity: 5}", "O004"),
    "open quote": (b'facts: {customer.name: "x}\n', "O004"),
    "tab for indentation": (b"facts:\n\torder.quantity: 5\n", "O004"),
    "indentation unlike its neighbours": (b"facts:\n  a.b: 1\n c.d: 2\n", "O004"),
    "control character": (b"customer.name: \x07\n", "O004"),
    "50,000 nested brackets": (_DEEP, "O003"),
    "50,000 nested objects": (b'{"a":' * 50_000, "O003"),
    "25 nested lists": (b"facts: " + b"[" * 25 + b"]" * 25, "O003"),
    "duplicate key": (b"facts: {}\nfacts: {}\n", "O005"),
    "duplicate key in JSON": (b'{"facts": {}, "facts": {}}', "O005"),
    "duplicate key with a line break": (b'"a\\nb": 1\n"a\\nb": 2\n', "O005"),
    "anchor": (b"facts: &a {}\n", "O006"),
    "tag that builds an object": (b"facts: !!python/object/apply:os.system [id]\n", "O006"),
    "merge key": (b"facts: {<<: {order.quantity: 5}}\n", "O006"),
    "second document": (b"facts: {}\n---\nfacts: {}\n", "O006"),
    "ten megabytes": (b"facts: {}\n" + b"# padding\n" * 1_000_000, "O002"),
    "200,000 values": (b"facts: [" + b"1," * 200_000 + b"]", "O002"),
    "empty": (b"", "O301"),
    "only blanks": (b"  \n\n", "O301"),
    "only a comment": (b"# nothing\n", "O301"),
    "only null": (b"null\n", "O301"),
    "binary": (bytes(range(256)), "O001"),
    "zeros": (b"\x00" * 100, "O004"),
    "UTF-16": ("facts: {}\n".encode("utf-16"), "O001"),
    "Latin-1": ("customer.name: café\n".encode("latin-1"), "O001"),
    "a list": (b"- facts\n", "O103"),
    "a number": (b"5\n", "O103"),
    "a text": (b"order\n", "O103"),
    "a list of facts": (b"facts: [order.quantity]\n", "O103"),
    "a text for facts": (b"facts: many\n", "O103"),
    "a list for a name": (b"? [a, b]\n: 5\n", "O103"),
    "a list for parameters": (b"facts: {}\nparameters: [cap]\n", "O103"),
    "a list for a basis": (b"facts: {}\nbasis: [x]\n", "O103"),
    "unknown name beside the facts": (b"facts: {}\nas-of: 2026-02-01\n", "O101"),
    "unknown parameter": (b"facts: {}\nparameters: {capp: 5}\n", "O209"),
    "parameter out of bounds": (b"facts: {}\nparameters: {cap: 10000001}\n", "O210"),
    "negative parameter": (b"facts: {}\nparameters: {cap: -1}\n", "O210"),
    "ratio over one": (b'facts: {}\nparameters: {fee_rate: "25"}\n', "O210"),
    "parameter without a value": (b"facts: {}\nparameters: {cap: }\n", "O210"),
    "word for a parameter": (b"facts: {}\nparameters: {cap: many}\n", "O210"),
    "unknown rule left out": (b"facts: {}\nwithout: [customer-capp]\n", "O211"),
    "no rule left out": (b"facts: {}\nwithout: [~]\n", "O211"),
    "names for a rule left out": (b"facts: {}\nwithout: {a: b}\n", "O211"),
    "date of the rules that does not exist": (b"facts: {}\nas_of: 2026-02-30\n", "O212"),
    "list for the date of the rules": (b"facts: {}\nas_of: [2026-02-01]\n", "O212"),
    "basis of an unknown fact": (b"facts: {}\nbasis: {order.quantitiy: PO 1}\n", "O201"),
    "unknown name in a basis": (b"facts: {}\nbasis: {order.quantity: {papr: x}}\n", "O101"),
}


@pytest.mark.parametrize("case", _BAD_FILES)
def test_a_bad_file_is_refused(case: str, folder: Path, inputs: Path) -> None:
    content, code = _BAD_FILES[case]
    file = inputs / "order.yaml"
    file.write_bytes(content)
    told = run("decide", file, "--regime", "h200-article")
    is_refused(told, code)
    name, line, column = told.places[0]
    assert name == str(file)
    lines = content.decode("utf-8", "replace").split("\n")
    assert 1 <= line <= len(lines)
    assert 1 <= column <= len(lines[line - 1]) + 1
    assert told.stdout == ""


@pytest.mark.parametrize("case", _BAD_FILES)
def test_a_bad_file_is_one_line_of_ndjson(case: str, folder: Path, inputs: Path) -> None:
    content, code = _BAD_FILES[case]
    file = inputs / "order.yaml"
    file.write_bytes(content)
    told = run("decide", file, "--regime", "h200-article", "--format", "ndjson")
    assert told.exit_code == 1
    [line] = told.stdout.splitlines()
    answer: dict[str, Any] = json.loads(line)
    assert answer["schema"] == "placet.rejection/1"
    assert [d["code"] for d in answer["diagnostics"]] == [code]
    assert answer["diagnostics"][0]["file"] == str(file)


@pytest.mark.parametrize(
    ("break_", "line"), [("\u2028", 2), ("\u2029", 2), ("\x85", 2), ("\r", 2), ("\r\n", 2)]
)
def test_a_fault_after_any_line_break_is_shown_with_its_line(
    break_: str, line: int, folder: Path, inputs: Path
) -> None:
    file = inputs / "order.yaml"
    file.write_bytes(f"# note{break_}order.quantity: many\n".encode())
    told = run("decide", file, "--regime", "h200-article")
    is_refused(told, "O202")
    assert told.places == [(str(file), line, 17)]
    assert marked(told.stderr) == "many"


@pytest.mark.parametrize(
    ("regime", "help"),
    [("h200-articel", "did you mean `h200-article`?"), ("zzz", "bis-2026")],
)
def test_an_unknown_regime_is_refused_and_known_ones_are_named(
    regime: str, help: str, folder: Path, inputs: Path
) -> None:
    file = inputs / "order.yaml"
    file.write_text(f"regime: {regime}\nfacts: {{}}\n", encoding="utf-8")
    told = run("decide", file)
    is_refused(told, "O208")
    assert told.places == [(str(file), 1, 9)]
    assert help in told.stderr
    is_refused(run("decide", file, "--regime", regime), "O208")


def test_an_order_without_a_regime_is_refused(folder: Path, inputs: Path) -> None:
    file = inputs / "order.yaml"
    file.write_text("order.quantity: 5\n", encoding="utf-8")
    is_refused(run("decide", file), "O208")


def test_a_regime_s_name_cannot_lead_out_of_the_rules(folder: Path, inputs: Path) -> None:
    file = inputs / "order.yaml"
    file.write_text("regime: ../rules/h200-article\nfacts: {}\n", encoding="utf-8")
    is_refused(run("decide", file), "O208")


def test_a_missing_file_is_refused(folder: Path, inputs: Path) -> None:
    told = run("decide", inputs / "nowhere.yaml", "--regime", "h200-article")
    is_refused(told, "O001")
    assert told.places == [(str(inputs / "nowhere.yaml"), 1, 1)]


def test_a_folder_is_refused_as_a_file(folder: Path, inputs: Path) -> None:
    is_refused(run("decide", inputs, "--regime", "h200-article"), "O001")


def test_a_name_too_long_for_a_file_is_refused(folder: Path) -> None:
    is_refused(run("decide", "x" * 5000, "--regime", "h200-article"), "O001")


def test_a_byte_order_mark_is_no_fault(folder: Path, inputs: Path) -> None:
    file = inputs / "order.yaml"
    for mark in (b"\xef\xbb\xbf", b""):
        file.write_bytes(mark + envelope("order.quantity: 5").encode())
        assert run("decide", file).exit_code == 0
        file.write_bytes(mark + in_json('"order.quantity": 5').encode())
        assert run("decide", file).exit_code == 0


def test_a_fault_after_a_byte_order_mark_keeps_its_column(folder: Path, inputs: Path) -> None:
    file = inputs / "order.json"
    file.write_bytes(b"\xef\xbb\xbf" + in_json('"order.quantity": many').encode())
    told = run("decide", file)
    is_refused(told, "O202")
    assert marked(told.stderr) == "many"


def test_a_character_outside_the_basic_plane_may_be_escaped_in_json(
    folder: Path, inputs: Path
) -> None:
    file = inputs / "order.json"
    for name in ('"\\ud842\\udfb7"', '"𠮷"'):
        file.write_text(in_json(f'"customer.name": {name}'), encoding="utf-8")
        told = run("decide", file, "--format", "json")
        assert told.exit_code == 0, told.stderr
        assert json.loads(told.stdout)["facts"]["customer.name"] == "𠮷"


def test_an_envelope_with_empty_facts_is_a_legal_incomplete_order(
    folder: Path, inputs: Path
) -> None:
    file = inputs / "order.yaml"
    file.write_text("regime: h200-article\nfacts: {}\n", encoding="utf-8")
    told = run("decide", file, "--as-of", "2026-02-01", "--format", "json")
    assert told.exit_code == 0
    assert json.loads(told.stdout)["outcome"] == "incomplete"


# --- options ---


@pytest.mark.parametrize(
    "options",
    [
        ("--set", "order.quantity"),
        ("--set", "=5"),
        ("--param", "cap"),
        ("--as-of", "2026-02-30"),
        ("--as-of", "yesterday"),
        ("--as-of", "20260201"),
        ("--as-of", "2026-W01-1"),
        ("--format", "xml"),
        ("--lang", "fr"),
        ("--quantity", "5"),
    ],
)
def test_a_bad_option_is_a_fault_of_usage(
    options: tuple[str, ...], folder: Path, inputs: Path
) -> None:
    file = inputs / "order.yaml"
    file.write_text(envelope("order.quantity: 5"), encoding="utf-8")
    told = run("decide", file, *options)
    assert told.exit_code == 2
    assert told.stderr
    assert told.stdout == ""
    assert not _LEAKED.search(told.stderr)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--set", "order.quantitiy=5"), "O201"),
        (("--set", "order.quantity=many"), "O202"),
        (("--set", "order.quantity=0"), "O203"),
        (("--set", "order=5"), "O103"),
        (("--set", "order.value=5.00"), "O205"),
        (("--set", "item.product=H200-SXM", "--set", "item.tpp=1"), "O206"),
        (("--param", "capp=5"), "O209"),
        (("--param", "cap=many"), "O210"),
        (("--param", "cap=-1"), "O210"),
        (("--param", "cap="), "O210"),
        (("--without", "customer-capp"), "O211"),
        (("--only", "kind=dutty"), "O213"),
        (("--only", "certainty>=rumour"), "O213"),
        (("--only", "duty"), "O213"),
        (("--only", ""), "O213"),
        (("--regime", "zzz"), "O208"),
        (("--regime", ""), "O208"),
    ],
)
def test_an_option_with_a_bad_value_is_refused_like_a_bad_file(
    options: tuple[str, ...], code: str, folder: Path, inputs: Path
) -> None:
    file = inputs / "order.yaml"
    file.write_text(envelope("order.quantity: 5"), encoding="utf-8")
    told = run("decide", file, *options)
    is_refused(told, code)
    assert told.places[0][0] == options[-2]


# --- many inputs ---


def test_every_input_has_its_line_in_the_order_given(folder: Path, inputs: Path) -> None:
    contents = {
        "a.yaml": (envelope("order.quantity: 5"), "placet.decision/1"),
        "b.yaml": ("facts: {", "placet.rejection/1"),
        "c.json": (in_json('"order.quantity": 6'), "placet.decision/1"),
        "d.yaml": ("", "placet.rejection/1"),
        "e.yaml": (envelope("order.quantity: x"), "placet.rejection/1"),
        "f.yaml": (envelope("order.quantity: 7"), "placet.decision/1"),
    }
    for name, (text, _) in contents.items():
        (inputs / name).write_text(text, encoding="utf-8")
    told = run("decide", *(inputs / name for name in contents), "--format", "ndjson")
    answers = [json.loads(line) for line in told.stdout.splitlines()]
    assert told.exit_code == 1
    assert [a["schema"] for a in answers] == [schema for _, schema in contents.values()]
    assert [a["input"] for a in answers if "input" in a] == [
        str(inputs / name) for name in ("b.yaml", "d.yaml", "e.yaml")
    ]
    decided = [a for a in answers if "facts" in a]
    assert [a["facts"]["order.quantity"] for a in decided] == ["5", "6", "7"]


def test_a_bad_line_of_a_stream_keeps_its_place(folder: Path) -> None:
    good, bad = in_json('"order.quantity": 5'), in_json('"order.quantity": "x"')
    lines = [good, bad, "{", good, "[1]"]
    told = run_alone(
        "decide",
        "-",
        "--regime",
        "h200-article",
        "--format",
        "ndjson",
        stdin="\n".join(lines).encode(),
    )
    answers = [json.loads(line) for line in told.stdout.splitlines()]
    assert told.exit_code == 1
    assert [a["schema"].split(".")[1] for a in answers] == [
        "decision/1", "rejection/1", "rejection/1", "decision/1", "rejection/1",
    ]  # fmt: skip
    assert "Traceback" not in told.stderr
    assert told.codes == ["O202", "O004", "O103"]


# --- as a process of its own ---


@pytest.mark.parametrize(
    "case",
    ["50,000 nested brackets", "50,000 nested objects", "binary", "ten megabytes", "UTF-16"],
)
def test_a_hostile_file_does_not_end_the_interpreter(
    case: str, folder: Path, inputs: Path
) -> None:
    content, code = _BAD_FILES[case]
    file = inputs / "order.yaml"
    file.write_bytes(content)
    is_refused(run_alone("decide", file, "--regime", "h200-article"), code)
    is_refused(run_alone("decide", "-", "--regime", "h200-article", stdin=content), code)


def test_a_file_name_that_is_no_text_is_refused(folder: Path) -> None:
    told = run_alone("decide", b"\xff.yaml", "--regime", "h200-article", "--format", "ndjson")
    assert "Traceback" not in told.stderr
    assert told.exit_code == 1
    assert told.codes == ["O001"]
    [line] = told.stdout.splitlines()
    assert json.loads(line)["diagnostics"][0]["code"] == "O001"


def test_a_bad_fact_of_a_variation_is_refused_where_it_stands(folder: Path, inputs: Path) -> None:
    file = inputs / "story.yaml"
    file.write_text(
        "title: {en: T, zh: 题}\n"
        "story: {en: S, zh: 事}\n"
        + envelope("order.quantity: 5")
        + "expect: {outcome: incomplete}\n"
        "vary:\n"
        "  - title: {en: V, zh: 变}\n"
        "    set: {order.quantity: many}\n"
        "    expect: {outcome: incomplete}\n",
        encoding="utf-8",
    )
    told = run("test", file)
    assert told.exit_code == 1
    [place] = _PLACE.findall(told.stdout)
    assert place == (str(file), "10", "27", "O202")


@pytest.mark.parametrize("change", ["{order: null}", "{order: ~}"])
def test_a_variation_that_takes_a_group_away_removes_every_fact_of_it(
    change: str, folder: Path, inputs: Path
) -> None:
    # Of the quantity and the destination nothing is left: neither the cap nor the scope is known.
    file = inputs / "story.yaml"
    file.write_text(
        "title: {en: T, zh: 题}\n"
        "story: {en: S, zh: 事}\n"
        + envelope(
            "order: {quantity: 75001, destination: MY}\n"
            "  item.product: H200-SXM\n"
            "  customer.units_to_date: 0"
        )
        + "expect: {outcome: not-covered}\n"
        "vary:\n"
        "  - title: {en: V, zh: 变}\n"
        f"    set: {change}\n"
        "    expect:\n"
        "      outcome: incomplete\n"
        f"      unknown: [{', '.join(ARTICLE)}]\n",
        encoding="utf-8",
    )
    told = run("test", file)
    assert (told.exit_code, told.stdout) == (0, "2 passed, 0 failed\n")


def test_a_bad_scenario_is_refused_by_test(folder: Path, inputs: Path) -> None:
    file = inputs / "story.yaml"
    file.write_text(envelope("order.quantity: 5"), encoding="utf-8")
    told = run_alone("test", file)
    assert told.exit_code == 1
    assert "Traceback" not in told.stdout + told.stderr
    assert re.search(r"story\.yaml:[0-9]+:[0-9]+: error O302", told.stdout + told.stderr)


# --- conditions of rules ---


@pytest.fixture
def check(folder: Path, tmp_path: Path) -> Callable[[str], Told]:
    """Check the sound rules of `bad_rules/base` with another condition in them."""
    rules = tmp_path / "rules"
    shutil.copytree(BASE, rules)
    rule = rules / "chips" / "quantity-cap.yaml"
    sound = rule.read_text(encoding="utf-8")

    def checked(condition: str) -> Told:
        block = "require: |\n  " + condition + "\n"
        rule.write_text(sound.replace("require: order.quantity <= cap\n", block), encoding="utf-8")
        told = run("check", rules)
        assert told.stderr == ""
        return Told(told.exit_code, "", told.stdout)

    return checked


_BAD_CONDITIONS = {
    "a call of the host": ('__import__("os").system("id") == 0', "R202"),
    "a built-in": ("open(1) == 1", "R202"),
    "a dunder": ("order.quantity.__class__ == 1", "R202"),
    "an index": ("order[0] <= cap", "R202"),
    "a lambda": ("(lambda: 1) <= cap", "R202"),
    "a walrus": ("(x := 5) <= cap", "R202"),
    "an f-string": ('order.destination == f"{cap}"', "R202"),
    "a comprehension": ("[x for x in cap] == cap", "R202"),
    "a conditional": ("pledge.submitted if pledge.submitted else true", "R202"),
    "a dictionary": ("{1: 2} == cap", "R202"),
    "a power": ("9 ** 9 ** 9 ** 9 <= cap", "R202"),
    "a shift": ("1 << 99 <= cap", "R202"),
    "a division": ("order.quantity / 2 <= cap", "R202"),
    "a comment": ("order.quantity <= cap # or true", "R202"),
    "two statements": ("order.quantity <= cap; true", "R202"),
    "a decorator sign": ("order.quantity @ 2 <= cap", "R202"),
    "a ligature": ("order.ﬁne <= cap", "R202"),
    "full-width digits": ("order.quantity <= ７５０００", "R202"),
    "a Cyrillic letter": ("order.quаntity <= cap", "R202"),
    "an invisible character": ("order.quantity\u200b <= cap", "R202"),
    "identity": ("order.quantity is cap", "R202"),
    "a comparison chain": ("1 < order.quantity <= cap", "R209"),
    "an assignment": ("order.quantity = cap", "R201"),
    "an open parenthesis": ("(order.quantity <= cap", "R201"),
    "an operator too many": ("order.quantity <= * cap", "R201"),
    "nothing after and": ("order.quantity <= cap and", "R201"),
    "300 nested brackets": ("(" * 300 + "cap" + ")" * 300 + " == cap", "R203"),
    "300 negations": ("not " * 300 + "pledge.submitted", "R203"),
    "900 pluses": ("+".join(["1"] * 900) + " <= cap", "R203"),
    "20,000 pluses": ("+".join(["1"] * 20_001) + " <= cap", "R203"),
    "an exponent": ("order.quantity <= 1e5", "R210"),
    "a complex number": ("order.quantity <= 5j", "R210"),
    "hexadecimal": ("order.quantity <= 0x10", "R210"),
    "underscores in a number": ("order.quantity <= 75_000", "R210"),
    "nineteen digits": ("order.quantity <= 9999999999999999999", "R210"),
    "a triple-quoted code": ('order.destination == """CN"""', "R210"),
    "joined codes": ('order.destination == "C" "N"', "R210"),
    "bytes": ('order.destination == b"CN"', "R210"),
    "the host's nothing": ("order.quantity == None", "R210"),
    "a date with a time zone": ('order.placed_on < date("2026-01-15", tz=7)', "R210"),
    "a date in two pieces": ('order.placed_on < date("2026-01" "-15")', "R210"),
    "a minimum of 600": ("order.quantity <= min(cap" + ",1" * 599 + ")", "R203"),
    "a maximum of 600": ("order.quantity <= max(cap" + ",1" * 599 + ")", "R203"),
    "a date that does not exist": ('order.placed_on < date("2026-02-30")', "R210"),
    "a week date": ('order.placed_on < date("2026-W01-1")', "R210"),
    "a number for a condition": ("order.quantity", "R205"),
    "an order between codes": ('order.destination < "HK"', "R205"),
    "an empty list": ("order.destination in []", "R202"),
}


@pytest.mark.parametrize("case", _BAD_CONDITIONS)
def test_a_bad_condition_is_refused_in_its_line(case: str, check: Callable[[str], Told]) -> None:
    condition, code = _BAD_CONDITIONS[case]
    told = check(condition)
    is_refused(told, code)
    [(name, line, column)] = told.places
    assert name.endswith("chips/quantity-cap.yaml")
    # A fault of the whole condition may stand at the start of its block, `require: |`.
    assert line in ((9,) if code != "R203" else (8, 9))
    assert 1 <= column <= len(condition) + 3


@pytest.mark.parametrize(
    "condition",
    [
        "order.quantity <= cap",
        "(" * 39 + "order.quantity" + ")" * 39 + " <= cap",
        'order.quantity <= cap or order.destination not in ["CN", "HK"] and false',
        "max(order.quantity, 1, 2) <= min(cap, 10000000)",
        'order.quantity <= cap and not order.placed_on < date("2024-02-29")\n  or order.quantity'
        " <= cap",
    ],
)
def test_what_the_rule_language_has_is_accepted(
    condition: str, check: Callable[[str], Told]
) -> None:
    told = check(condition)
    examples = [code for code in told.codes if code != "R306"]
    assert examples == [], told.stderr


@pytest.mark.parametrize(
    ("condition", "meant"),
    [
        ("order.quantity = cap", "write `==`"),
        ("order.quantity ≤ cap", "write `<=`"),
        ("order.quantity ≥ cap", "write `>=`"),
        ("order.quantity ≠ cap", "write `!=`"),
        ("order.quantity <= cap && pledge.submitted", "write `and`"),
        ("order.quantity <= cap || pledge.submitted", "write `or`"),
        ("（order.quantity <= cap", "write `(`"),
        ("order.destination == “CN”", 'write `"`'),
    ],
)
def test_a_sign_of_another_language_is_answered_with_what_to_write(
    condition: str, meant: str, check: Callable[[str], Told]
) -> None:
    told = check(condition)
    assert told.exit_code == 1
    [help] = [line for line in told.stderr.split("\n") if line.startswith("  help:")]
    assert meant in help


def test_a_condition_that_ends_too_soon_is_refused_at_its_end(
    check: Callable[[str], Told],
) -> None:
    told = check("order.quantity <= cap and")
    is_refused(told, "R201")
    assert told.places[0][1:] == (9, len("  order.quantity <= cap and") + 1)


@pytest.mark.parametrize(
    "condition",
    [
        "order.quantity <= 007",
        'f"{',
        "order.quantity <= 5 5",
        "order.quantity = cap",
        "min(a=1, 2) <= cap",
        "3E001 <= cap",
        "*cap",
    ],
)
def test_no_word_of_the_host_language_reaches_the_author(
    condition: str, check: Callable[[str], Told]
) -> None:
    told = check(condition)
    assert told.exit_code == 1
    assert len(told.codes) == 1
    assert not re.search(
        r"octal|0o|f-string|literal|keyword|argument|expression cannot|starred|walrus|:=",
        "\n".join(line for line in told.stderr.split("\n") if " | " not in line),
    ), told.stderr


def test_nothing_of_a_condition_is_ever_run(
    check: Callable[[str], Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a condition was run")

    monkeypatch.setattr(os, "system", refuse)
    told = check('__import__("os").system("id") == 0')
    is_refused(told, "R202")
