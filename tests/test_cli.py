"""The command line as scripts rely on it: exit codes, formats, order of answers, options."""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli import app

ROOT = Path(__file__).parent.parent
STORY = ROOT / "scenarios" / "h200-article" / "last-twenty-thousand.yaml"
KEYS = [
    "schema",
    "outcome",
    "status",
    "regime",
    "hypothetical_policy",
    "policy_changes",
    "label",
    "notice",
    "summary",
    "findings",
    "missing",
    "remedies",
    "by_kind",
    "obligations",
    "cautions",
    "leaves_out",
    "figures",
    "facts",
    "basis",
    "diagnostics",
    "engine",
]


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("PLACET_RULES", raising=False)
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    monkeypatch.setenv("COLUMNS", "100")


def placet(*arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=input)


def test_facts_on_standard_input_are_answered_with_the_documented_json() -> None:
    facts = '{"item": {"product": "H200-SXM"}, "order": {"quantity": 5}}'
    done = placet(
        "decide",
        "-",
        "--regime",
        "h200-article",
        "--as-of",
        "2026-02-01",
        "--format",
        "json",
        input=facts,
    )
    assert done.exit_code == 0
    decision = json.loads(done.stdout)
    assert set(KEYS) <= set(decision)
    assert decision["schema"] == "placet.decision/1"
    assert decision["outcome"] == "incomplete"
    assert decision["regime"]["as_of"] == "2026-02-01"
    assert decision["regime"]["as_of_from"] == "caller"
    assert decision["facts"] == {"item.product": "H200-SXM", "order.quantity": "5"}


def test_a_decision_of_any_outcome_exits_with_zero() -> None:
    assert placet("decide", str(STORY)).exit_code == 0
    assert placet("decide", str(STORY), "--set", "order.quantity=75001").exit_code == 0


def test_every_input_gets_one_line_in_order_and_a_rejected_one_too(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("regime: h200-article\nfacts: {order.quantity: many}\n", encoding="utf-8")
    done = placet("decide", str(STORY), str(bad), str(STORY), "--format", "ndjson")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["schema"] for line in lines] == [
        "placet.decision/1",
        "placet.rejection/1",
        "placet.decision/1",
    ]
    assert lines[1]["diagnostics"][0]["code"] == "O202"
    assert done.exit_code == 1


def test_lines_of_ndjson_on_standard_input_are_decided_one_by_one() -> None:
    lines = '{"order.quantity": 1}\n{"order.quantity": -1}\n\n{"order.quantity": 2}\n'
    done = placet("decide", "-", "--regime", "h200-article", "--format", "ndjson", input=lines)
    schemas = [json.loads(line)["schema"] for line in done.stdout.splitlines()]
    assert schemas == ["placet.decision/1", "placet.rejection/1", "placet.decision/1"]
    assert done.exit_code == 1


def test_several_inputs_in_json_are_one_list() -> None:
    done = placet("decide", str(STORY), str(STORY), "--format", "json")
    assert [d["outcome"] for d in json.loads(done.stdout)] == ["approve", "approve"]


def test_options_change_facts_parameters_and_rules() -> None:
    def outcome(*options: str) -> str:
        done = placet("decide", str(STORY), "--format", "json", *options)
        result: str = json.loads(done.stdout)["outcome"]
        return result

    more = (
        "--set",
        "order.quantity=20001",
        "--set",
        "fee.paid=135006750.00",
        "--set",
        "payment.prepaid=540027000.00",
    )
    assert outcome(*more) == "deny"
    assert outcome(*more, "--param", "cap=75001") == "approve"
    assert outcome(*more, "--without", "customer-cap") == "approve"
    assert outcome(*more, "--without", "h200-article/customer-cap") == "approve"
    assert outcome(*more, "--only", "kind=procedure") == "approve"
    assert outcome("--set", "review.state=null") == "incomplete"
    assert outcome("--as-of", "2025-12-07") == "not-covered"


def test_a_set_fact_is_held_against_the_catalogue_too() -> None:
    done = placet("decide", str(STORY), "--set", "item.tpp=1")
    assert done.exit_code == 1
    assert "O206" in done.stderr


@pytest.mark.parametrize(
    ("environment", "word"),
    [("zh_CN.UTF-8", "符合全部条件"), ("en_US.UTF-8", "Conditions met"), ("C", "Conditions met")],
)
def test_the_locale_chooses_the_language(
    environment: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", environment)
    assert word in placet("decide", str(STORY)).stdout


def test_both_languages_on_request() -> None:
    out = placet("decide", str(STORY), "--lang", "both").stdout
    assert "Conditions met" in out
    assert "符合全部条件" in out


def test_the_numbers_of_met_conditions_unfold() -> None:
    folded, unfolded = (
        placet("decide", str(STORY)).stdout,
        placet("decide", str(STORY), "-v").stdout,
    )
    assert "55,000 chips to date" not in folded
    assert "55,000 chips to date" in unfolded


@pytest.mark.parametrize("option", ["--only=kind=seller-term", "--without=multi-agency-review"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_rules_that_were_not_judged_are_not_said_to_be_met(option: str, lang: str) -> None:
    changes = ("--set", "review.commerce=deny", "--set", "terms.refundable=true")
    out = placet("decide", str(STORY), *changes, option, "--lang", lang).stdout
    told = re.sub(r"[\s│]+", "" if lang == "zh" else " ", out)
    assert "None of the government's conditions fails" not in told
    assert "政府所设条件均符合" not in told
    alone = {"en": "of the rules judged alone", "zh": "仅就所判断的规则而言"}[lang]
    assert (alone in told) is option.startswith("--only")


def test_a_parameter_at_its_value_is_no_hypothetical_rule() -> None:
    done = placet("decide", str(STORY), "--param", "cap=75000", "--format", "json")
    decision = json.loads(done.stdout)
    assert (decision["hypothetical_policy"], decision["policy_changes"]) == (False, [])
    assert "HYPOTHETICAL" not in placet("decide", str(STORY), "--param", "cap=75000").stdout
    assert "HYPOTHETICAL" in placet("decide", str(STORY), "--param", "cap=75001").stdout


@pytest.mark.parametrize("change", ["order=null", "order="])
def test_null_for_a_group_of_facts_removes_them_all(change: str) -> None:
    done = placet("decide", str(STORY), "--set", change, "--format", "json")
    assert done.exit_code == 0
    decision = json.loads(done.stdout)
    assert decision["outcome"] == "incomplete"
    kept = {path.partition(".")[0] for path in decision["facts"]}
    assert kept == {
        "customer", "item", "end_use", "pledge", "review", "fee", "payment", "terms",
    }  # fmt: skip
    assert decision["facts"]["customer.units_to_date"] == "55000"


def test_a_fact_set_after_its_group_was_removed_stands() -> None:
    options = ("--set", "order=null", "--set", "order.quantity=7")
    decision = json.loads(placet("decide", str(STORY), *options, "--format", "json").stdout)
    ordered = {p: v for p, v in decision["facts"].items() if p.startswith("order.")}
    assert ordered == {"order.quantity": "7"}


# --- streams of several megabytes ---


def _order(quantity: int, name: str = "") -> str:
    facts = {"order.quantity": quantity, **({"customer.name": name} if name else {})}
    return json.dumps({"regime": "h200-article", "as_of": "2026-02-01", "facts": facts})


def _decided(text: str, by_file: Path | None) -> tuple[int, list[str]]:
    """Exit code, and per line of the answer its quantity, or the code of its fault."""
    if by_file is not None:
        by_file.write_bytes(text.encode())
    name, given = ("-", text) if by_file is None else (str(by_file), None)
    done = placet("decide", name, "--format", "ndjson", input=given)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    told = [
        a["facts"]["order.quantity"] if "facts" in a else a["diagnostics"][0]["code"]
        for a in answers
    ]
    return done.exit_code, told


@pytest.fixture(params=["file", "stdin"])
def by_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path / "orders.ndjson" if request.param == "file" else None


def test_several_megabytes_of_lines_lose_none(by_file: Path | None) -> None:
    name = "客户" * 250
    lines = [_order(n, name) for n in range(1, 2_001)]
    text = "\n".join(lines)
    assert len(text.encode()) > 3_000_000
    assert _decided(text, by_file) == (0, [str(n) for n in range(1, 2_001)])


def test_a_line_as_long_as_is_allowed_is_decided(by_file: Path | None) -> None:
    longest = _order(7) + " " * (1_000_000 - len(_order(7)))
    assert _decided(f"{longest}\n{_order(3)}\n", by_file) == (0, ["7", "3"])
    assert _decided(f"{_order(3)}\n{longest}\n", by_file) == (0, ["3", "7"])


def test_a_line_as_long_as_is_allowed_may_end_with_cr_lf(by_file: Path | None) -> None:
    longest = _order(7) + " " * (1_000_000 - len(_order(7)))
    assert _decided(f"{longest}\r\n{_order(3)}\r\n", by_file) == (0, ["7", "3"])


def test_a_blank_line_between_orders_loses_none(by_file: Path | None) -> None:
    assert _decided(f"{_order(1)}\n\n{_order(2)}\n", by_file) == (0, ["1", "2"])


def _padded_with_blanks(length: int) -> str:
    return _order(5) + " " * (length - len(_order(5)))


def _padded_with_a_name(length: int) -> str:
    return _order(5, "x" * (length - len(_order(5, "x")) + 1))


@pytest.mark.parametrize("padded", [_padded_with_blanks, _padded_with_a_name])
@pytest.mark.parametrize("length", [1_000_001, 2_500_000])
@pytest.mark.parametrize("first", [True, False], ids=["first", "second"])
def test_a_line_too_long_is_rejected_alone(
    padded: Callable[[int], str], length: int, first: bool, by_file: Path | None
) -> None:
    long = padded(length)
    assert len(long) == length
    lines = [long, _order(1), _order(2)] if first else [_order(1), long, _order(2)]
    told = ["O002", "1", "2"] if first else ["1", "O002", "2"]
    assert _decided("\n".join(lines) + "\n", by_file) == (1, told)


def test_the_tail_of_a_line_too_long_is_no_order(by_file: Path | None) -> None:
    long = _order(1) + " " * (1_000_001 - len(_order(1))) + _order(9)
    assert _decided(f"{_order(3)}\n{long}\n{_order(4)}\n", by_file) == (1, ["3", "O002", "4"])


def test_check_is_silent_on_the_shipped_rules() -> None:
    done = placet("check")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("path", ["rules", "rules/bis-2026", "rules/bis-2026/tpp-ceiling.yaml"])
def test_check_takes_a_folder_a_regime_or_a_rule(path: str) -> None:
    done = placet("check", path)
    assert (done.exit_code, done.stdout) == (0, "")


def test_check_of_a_broken_copy_names_the_place(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    rule = tmp_path / "rules" / "h200-article" / "no-refund.yaml"
    rule.write_text(
        rule.read_text(encoding="utf-8").replace("terms.refundable", "terms.refundabel"),
        encoding="utf-8",
    )
    done = placet("check", str(tmp_path / "rules"))
    assert done.exit_code == 1
    assert "R204" in done.stdout
    assert "did you mean `terms.refundable`?" in done.stdout


def test_test_ends_with_its_count() -> None:
    done = placet("test", "scenarios/section-232-duty")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1].endswith(" passed, 0 failed")


def test_a_failing_story_shows_expected_and_got_and_exits_with_one(tmp_path: Path) -> None:
    story = tmp_path / "story.yaml"
    text = STORY.read_text(encoding="utf-8")
    story.write_text(text.replace("expect: {outcome: approve}", "expect: {outcome: deny}", 1))
    done = placet("test", str(story))
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1] == "6 passed, 1 failed"
    row = next(
        line.split() for line in done.stdout.splitlines() if line.split()[:1] == ["outcome"]
    )
    assert row == ["outcome", "deny", "approve"]


def test_test_runs_the_scenarios_of_one_regime_only() -> None:
    whole = placet("test", "scenarios/h200-article", "scenarios/section-232-duty").stdout
    part = placet(
        "test", "scenarios/h200-article", "scenarios/section-232-duty", "--regime", "h200-article"
    ).stdout
    assert int(part.split()[-4]) < int(whole.split()[-4])


def test_a_stored_decision_replays_the_same(tmp_path: Path) -> None:
    stored = tmp_path / "decision.json"
    options = ("--param", "cap=100000", "--without", "no-refund", "--only", "certainty>=disputed")
    stored.write_text(
        placet("decide", str(STORY), "--format", "json", *options).stdout, encoding="utf-8"
    )
    done = placet("replay", str(stored))
    assert (done.exit_code, done.stdout[:5]) == (0, "same:")


def test_a_tampered_decision_replays_different_and_says_where(tmp_path: Path) -> None:
    decision = json.loads(placet("decide", str(STORY), "--format", "json").stdout)
    decision["outcome"] = "deny"
    stored = tmp_path / "decision.json"
    stored.write_text(json.dumps(decision), encoding="utf-8")
    done = placet("replay", str(stored))
    assert done.exit_code == 1
    assert "/outcome" in done.stdout


def test_a_replay_under_changed_rules_says_that_the_rules_differ(tmp_path: Path) -> None:
    stored = tmp_path / "decision.json"
    stored.write_text(placet("decide", str(STORY), "--format", "json").stdout, encoding="utf-8")
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    rule = tmp_path / "rules" / "h200-article" / "no-refund.yaml"
    rule.write_text(rule.read_text(encoding="utf-8").replace("No refund", "No refunds"))
    done = placet("replay", str(stored), "--rules", str(tmp_path / "rules"))
    assert done.exit_code == 1
    assert "/regime/edition" in done.stdout
    assert "/regime/digest" not in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("decide",),
        ("decide", "x.yaml", "--as-of", "tomorrow"),
        ("decide", "x.yaml", "--set", "order.quantity"),
        ("decide", "x.yaml", "--format", "xml"),
        ("nonsense",),
        ("schema",),
        ("check", "--explain", "R999"),
    ],
)
def test_a_command_that_cannot_be_understood_exits_with_two(arguments: tuple[str, ...]) -> None:
    assert placet(*arguments).exit_code == 2


@pytest.mark.parametrize(
    "words",
    [("--set", "a\u202eb"), ("--set", "\x1b[31m"), ("--as-of", "\u202e"), ("--as-of", "\x9b31m")],
    ids=ascii,
)
def test_a_usage_error_repeats_no_control_character(words: tuple[str, ...]) -> None:
    done = placet("decide", str(STORY), *words)
    assert done.exit_code == 2
    categories = {unicodedata.category(c) for c in done.output if c != "\n"}
    assert not categories & {"Cc", "Cf"}


def test_an_order_without_a_regime_is_told_how_to_name_one() -> None:
    done = placet("decide", "-", input="order.quantity: 5")
    assert done.exit_code == 1
    assert "--regime" in done.stderr
    assert "h200-article" in done.stderr


def test_a_fault_code_is_explained() -> None:
    done = placet("check", "--explain", "r207")
    assert done.exit_code == 0
    assert done.stdout.startswith("R207")


def test_the_schema_of_decisions_accepts_decisions() -> None:
    import jsonschema

    schema = json.loads(placet("schema", "--decision").stdout)
    decision = json.loads(placet("decide", str(STORY), "--format", "json").stdout)
    jsonschema.validate(decision, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**decision, "outcome": 5}, schema)


def test_an_empty_file_of_lines_is_told_empty(tmp_path: Path) -> None:
    empty = tmp_path / "orders.ndjson"
    empty.write_bytes(b"")
    done = placet("decide", str(empty), "--regime", "h200-article")
    assert done.exit_code == 1
    assert "O301" in done.stderr


def test_a_pipe_given_as_a_file_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "order"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("order.quantity: 5\n",))
    writer.start()
    done = placet("decide", str(pipe), "--regime", "h200-article", "--format", "json")
    writer.join()
    assert done.exit_code == 0
    assert json.loads(done.stdout)["facts"] == {"order.quantity": "5"}


def test_the_value_in_force_given_again_is_no_change_and_replays_the_same(tmp_path: Path) -> None:
    stored = tmp_path / "decision.json"
    done = placet("decide", str(STORY), "--param", "cap=75000", "--format", "json")
    stored.write_text(done.stdout, encoding="utf-8")
    plain = placet("decide", str(STORY), "--format", "json")
    assert done.stdout == plain.stdout
    assert placet("replay", str(stored)).exit_code == 0
