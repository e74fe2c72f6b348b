"""Hypothesis strategies made from rules: orders, courses of cases, expressions, rule sets.

For authors of rules and their tests; the only module that imports hypothesis. Everything shrinks
towards few facts, plain values and short conditions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any, Literal, TypeVar

from hypothesis import assume
from hypothesis import strategies as st

from engine.choices import TEXTS, Choice, Choices, describe
from engine.courses import Course, Courses
from engine.diagnostics import Diagnostic, Source, Span, has_errors
from engine.evaluate import judge
from engine.expression import Names, amount, condition
from engine.ir import CERTAINTIES, DUES, KINDS_OF_RULE, Expr, Regime, Rule, Status, type_of
from engine.lifecycle import Setting
from engine.load import Rulebook
from engine.order import Order, make_order, write_facts
from engine.parse import parse_regime
from engine.process import Process
from engine.sample import Search, Stated, orders_by_status
from engine.source import Node, Scalar, read_text
from engine.values import Type, Value
from engine.vocabulary import Vocabulary

T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[T]], T]
ExpressionKind = Literal["boolean", "number"]

_DEPTH = 3
_FIRST_DAY = date(2026, 1, 1).toordinal()
_LARGEST = {"integer": 10**5, "money": 10**9, "ratio": 1000}


def orders(
    rulebook: Rulebook, regime: str, *, outcome: str | None = None, day: int | None = None
) -> st.SearchStrategy[Order]:
    """Orders at the thresholds of a regime, with gaps, and with the texts the world sends.

    `@given(orders(book, "h200-article"))` draws every outcome; `outcome="deny"` one of them.
    `day` is the day that the orders are made for, by default the last that the authors read to.
    """
    choices = describe(rulebook.vocabulary, rulebook.regimes[regime], day)
    bases = orders_by_status(choices)
    if outcome is None:
        # Changes to these reach every outcome.
        starts = _from((*bases["met"], *bases["unmet"], {}))
        return _built(lambda draw: _order(draw, choices, draw(starts), None))
    outcomes = rulebook.regimes[regime].outcomes
    wanted = next(status for status, named in outcomes.items() if named.code == outcome)
    starts = _from(bases[wanted])
    return _built(lambda draw: _order(draw, choices, draw(starts), wanted))


def event_sequences(process: Process, order: Order) -> st.SearchStrategy[Course]:
    """Courses of a case with an order: events at and around deadlines, fields at turning points.

    `@given(event_sequences(book.processes["h200-article"], order))` draws the day of opening and
    what is sent: mostly events that are taken, some that are refused or come too early. No event
    is dated before the latest that was taken.
    """
    drawn, setting = Courses(process), Setting(process, order)
    return _built(lambda draw: drawn.course(setting, lambda n: draw(st.integers(0, n - 1))))


def _built(make: Callable[[Draw[Any]], T]) -> st.SearchStrategy[T]:
    """A strategy whose name is short: hypothesis would write a whole rulebook into a message."""

    @st.composite
    def drawn(draw: Any) -> T:
        return make(draw)

    return drawn()


def _from(values: Sequence[T]) -> st.SearchStrategy[T]:
    """One of several large values, the first the simplest; hypothesis writes none of them out."""
    return st.integers(0, len(values) - 1).map(lambda number: values[number])


def _order(draw: Draw[Any], choices: Choices, base: Stated, wanted: Status | None) -> Order:
    program = choices.program
    absent, other = draw(st.sampled_from(_MIXTURES if wanted is None else _MILD))
    stated: Stated = {}
    # One number per fact: the lowest leave it out, the highest give it another value.
    for path in dict.fromkeys([*choices.deciding, *base]):
        number = draw(_PERCENT)
        if choices.is_supplied(path, stated) and number < 100 - other // 2:
            continue
        if number >= 100 - other:
            choices.set(stated, path, draw(_value(choices.of(path))))
        elif number >= absent and path in base:
            choices.set(stated, path, base[path])
    if choices.edges:
        edges = st.lists(_from(choices.edges), max_size=2 if wanted is None else 1)
        for edge in draw(edges):
            turn = choices.turn(edge, stated)
            value = None if turn is None else turn + draw(st.sampled_from((0, 1, -1)))
            kind = choices.of(edge.path).fact.type
            if value is not None and _lo(kind) <= value <= _hi(kind):
                choices.set(stated, edge.path, value)
    if choices.others:
        for choice in draw(st.lists(_from(tuple(choices.others.values())), max_size=3)):
            choices.set(stated, choice.fact.path, draw(_value(choice)))
    order = make_order(program.vocabulary, stated)
    assume(wanted is None or judge(program, order.values).status == wanted)
    return order


_PERCENT = st.integers(0, 99)
# How many facts in a hundred are left out, and how many given another value. The number 0 always
# leaves a fact out, so that every order shrinks to few facts.
_MIXTURES = ((1, 1), (1, 5), (8, 1), (10, 10), (70, 20))
_MILD = ((1, 1), (1, 3), (4, 1))


def values(rulebook: Rulebook, regime: str, path: str) -> st.SearchStrategy[Value]:
    """Values of one fact, as held, mostly those at which the regime turns.

    `values(book, "h200-article", "order.quantity")` draws 1, 75,001 and what lies between.
    """
    return _value(describe(rulebook.vocabulary, rulebook.regimes[regime]).of(path))


def _value(choice: Choice) -> st.SearchStrategy[Any]:
    near = _from(choice.near)
    kind = choice.fact.type
    if kind.kind == "text":
        return near | _texts()
    if kind.is_numeric or kind.kind == "date":
        far = _from(choice.far) if choice.far else near
        return near | near | far | st.integers(_lo(kind), _hi(kind))
    return near | near | _from(choice.far) if choice.far else near


def _texts() -> st.SearchStrategy[str]:
    """Text that a fact may carry: any script, control characters, markup; no lone surrogates."""
    characters = st.characters(exclude_categories=["Cs"])
    chinese = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), max_size=40)
    return st.sampled_from(TEXTS) | chinese | st.text(characters, max_size=500)


def _lo(kind: Type) -> int:
    return (1 if kind.kind == "date" else 0) if kind.lo is None else kind.lo


def _hi(kind: Type) -> int:
    return 3_652_059 if kind.hi is None else kind.hi


# --- expressions ---


def names_of(vocabulary: Vocabulary, regime: Regime | None = None) -> Names:
    """Everything that a condition may name: the facts, and what a regime adds to them.

    `names_of(book.vocabulary, book.regimes["h200-article"])` knows `cap` and `fee_due`.
    """
    facts = vocabulary.facts
    derived = {p: f.type for p, f in facts.items() if f.derived is not None}
    if regime is not None:
        derived |= {name: quantity.type for name, quantity in regime.quantities.items()}
    return Names(
        {p: f.type for p, f in facts.items() if f.derived is None},
        derived,
        {} if regime is None else {name: p.type for name, p in regime.parameters.items()},
        {} if regime is None else regime.lists,
        {name: frozenset(listed.codes) for name, listed in vocabulary.lists.items()},
    )


def expressions(names: Names, kind: ExpressionKind = "boolean") -> st.SearchStrategy[Expr]:
    """Well-typed conditions, or amounts, over all that may be named, as read from text.

    `@given(expressions(names_of(book.vocabulary)))` draws `not (order.quantity + 1 < 7 or …)`.
    """
    return expression_texts(names, kind).map(lambda text: _required(_read(text, names, kind)))


def expression_texts(names: Names, kind: ExpressionKind = "boolean") -> st.SearchStrategy[str]:
    """The text of conditions, or amounts, that are well typed and inside 63 bits."""
    grammar = _Grammar(names)
    if kind == "boolean":
        return _built(lambda draw: grammar.condition(draw, _DEPTH))
    units = st.sampled_from(sorted(grammar.numbers, key=str))
    return _built(lambda draw: grammar.number(draw, draw(units), _DEPTH))


def _read(text: str, names: Names, kind: ExpressionKind) -> Expr | None:
    scalar = Scalar(text, text, Span(Source("expression", (text,))), "")
    faults: list[Diagnostic] = []
    read = condition if kind == "boolean" else amount
    return read(scalar, names, faults)


def _required(expr: Expr | None) -> Expr:
    assert expr is not None
    return expr


@dataclass(frozen=True, slots=True, repr=False)
class _Grammar:
    """Writes conditions over names, each part read as it is made: what does not fit is not used."""

    names: Names
    numbers: Mapping[str | None, list[str]] = field(init=False)
    dates: list[str] = field(init=False)
    codes: Mapping[str, list[str]] = field(init=False)
    booleans: list[str] = field(init=False)

    def __post_init__(self) -> None:
        every = {**self.names.facts, **self.names.derived, **self.names.parameters}
        numbers: dict[str | None, list[str]] = {None: ["1"]}
        codes: dict[str, list[str]] = {}
        for name, kind in every.items():
            if kind.is_numeric:
                numbers.setdefault(kind.unit, []).append(name)
            elif kind.kind == "code" and kind.codes is not None:
                codes.setdefault(kind.codes, []).append(name)
        object.__setattr__(self, "numbers", numbers)
        object.__setattr__(self, "codes", codes)
        for field_name, kind_name in (("dates", "date"), ("booleans", "boolean")):
            found = [name for name, kind in every.items() if kind.kind == kind_name]
            object.__setattr__(self, field_name, found)

    def condition(self, draw: Draw[Any], depth: int) -> str:
        ways = [self._compared] * 3
        if self.booleans:
            ways.append(self._yes_no)
        if self.codes:
            ways += [self._coded, self._listed]
        if self.dates:
            ways.append(self._dated)
        if depth:
            ways += [self._joined, self._joined, self._negated, self._equal]
        return str(draw(_from(ways))(draw, depth))

    def _yes_no(self, draw: Draw[Any], depth: int) -> str:
        return str(draw(st.sampled_from([*self.booleans, "true", "false"])))

    def _joined(self, draw: Draw[Any], depth: int) -> str:
        parts = [self.condition(draw, depth - 1) for _ in range(draw(st.integers(2, 3)))]
        return f" {draw(st.sampled_from(('and', 'or')))} ".join(f"({part})" for part in parts)

    def _negated(self, draw: Draw[Any], depth: int) -> str:
        return f"not ({self.condition(draw, depth - 1)})"

    def _equal(self, draw: Draw[Any], depth: int) -> str:
        left, right = self.condition(draw, 0), self.condition(draw, 0)
        if left in ("true", "false") and right in ("true", "false"):
            return left
        return f"({left}) {draw(st.sampled_from(('==', '!=')))} ({right})"

    def _compared(self, draw: Draw[Any], depth: int) -> str:
        unit = draw(st.sampled_from(sorted(self.numbers, key=str)))
        left, right = str(draw(st.sampled_from(self.numbers[unit]))), str(draw(_LITERALS))
        if draw(st.booleans()):
            left = self.number(draw, unit, depth)
        if draw(st.booleans()):
            right = self.number(draw, unit, depth)
        text = f"{left} {draw(_COMPARISONS)} {right}"
        fits = _read(text, self.names, "boolean") is not None
        return text if fits else f"{self.numbers[unit][0]} > 0"

    def _coded(self, draw: Draw[Any], depth: int) -> str:
        name = draw(st.sampled_from(sorted(self.codes)))
        fact = draw(st.sampled_from(self.codes[name]))
        code = '"' + draw(st.sampled_from(sorted(self.names.codes[name]))) + '"'
        other = draw(st.sampled_from([code, code, *self.codes[name]]))
        op = draw(st.sampled_from(("==", "!=")))
        return f"{fact} {op} {other}" if draw(st.booleans()) else f"{other} {op} {fact}"

    def _listed(self, draw: Draw[Any], depth: int) -> str:
        name = draw(st.sampled_from(sorted(self.codes)))
        fact, known = draw(st.sampled_from(self.codes[name])), sorted(self.names.codes[name])
        written = draw(st.lists(st.sampled_from(known), min_size=1, max_size=4, unique=True))
        texts = ["[" + ", ".join(f'"{code}"' for code in written) + "]"]
        texts += [listed.name for listed in self.names.lists.values() if listed.of == name]
        return f"{fact} {draw(st.sampled_from(('in', 'not in')))} {draw(st.sampled_from(texts))}"

    def _dated(self, draw: Draw[Any], depth: int) -> str:
        return f"{self._day(draw, depth)} {draw(_COMPARISONS)} {self._day(draw, 0)}"

    def _day(self, draw: Draw[Any], depth: int) -> str:
        way = draw(st.integers(0, 3))
        if way == 0 or (way == 3 and not depth):
            return str(draw(st.sampled_from(self.dates)))
        if way == 3:
            op = draw(st.sampled_from(("min", "max")))
            return f"{op}({self._day(draw, depth - 1)}, {self._day(draw, 0)})"
        shift = draw(st.integers(-500, 500))
        return f'date("{date.fromordinal(_FIRST_DAY + shift).isoformat()}")'

    def number(self, draw: Draw[Any], unit: str | None, depth: int) -> str:
        """An amount of a unit; of several parts only where they fit into 63 bits."""
        way = draw(st.integers(0, 6 if depth else 2))
        if way == 2:
            return str(draw(_LITERALS))
        if way < 2:
            return str(draw(st.sampled_from(self.numbers.get(unit) or ["1"])))
        left = self.number(draw, unit, depth - 1)
        right = self.number(draw, None if way == 6 else unit, depth - 1)
        if way == 5:
            text = f"{draw(st.sampled_from(('min', 'max')))}({left}, {right})"
        elif way == 6:
            text = f"({left}) * ({right})" if draw(st.booleans()) else f"({right}) * ({left})"
        else:
            text = f"({left}) {draw(st.sampled_from(('+', '-')))} ({right})"
        return text if _read(text, self.names, "number") is not None else left


_COMPARISONS = st.sampled_from(("<=", "<", ">", ">=", "==", "!="))
_LITERALS = st.one_of(
    st.integers(-3, 100).map(str),
    st.sampled_from(("75000", "0.5", "0.25", "0.001", "21000.00", "5.9200", "999999")),
    st.decimals(0, 1000, places=3, allow_nan=False).map(str),
)


# --- rule sets ---


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A regime as the data of its files: `regime.yaml`, and one file for each rule."""

    id: str
    regime: Mapping[str, Any]
    rules: Mapping[str, Mapping[str, Any]]

    def parse(self, vocabulary: Vocabulary) -> Regime | None:
        """Read the files as `load` does; `None` where they have a fault."""
        faults: list[Diagnostic] = []
        files: dict[str, Node | None] = {name: _node(rule) for name, rule in self.rules.items()}
        home = Source(f"{self.id}/regime.yaml")
        regime = parse_regime(self.id, _node(self.regime), files, vocabulary, home, faults)
        return None if has_errors(faults) else regime

    def write(self, folder: Path) -> None:
        """Write the files below a folder of rules, as JSON, which YAML reads."""
        home = folder / self.id
        home.mkdir(parents=True, exist_ok=True)
        for name, data in (("regime", self.regime), *self.rules.items()):
            text = json.dumps(data, ensure_ascii=False)
            (home / f"{name}.yaml").write_text(text, encoding="utf-8")


def rule_sets(rulebook: Rulebook) -> st.SearchStrategy[RuleSet]:
    """Small sets of rules over a rulebook's vocabulary that `placet check` accepts.

    Each rule has an example on both sides of its boundary. `@given(rule_sets(book))`, then
    `drawn.parse(book.vocabulary)` for the regime or `drawn.write(folder)` for its files.
    """
    return _built(lambda draw: _rule_set(draw, rulebook))


def _rule_set(draw: Draw[Any], rulebook: Rulebook) -> RuleSet:
    vocabulary = rulebook.vocabulary
    source = next(iter(rulebook.sources))
    plain = {"r0": _rule_data(draw, source, None, "order.quantity <= 1000")}
    data = {
        "title": _pair("drawn"),
        "summary": _pair("drawn"),
        "sources": [source],
        "in_force": {"from": _iso(_FIRST_DAY)},
        "dated_by": draw(st.sampled_from(("order.placed_on", "order.exported_on"))),
        "read_to": _iso(_FIRST_DAY + draw(st.integers(0, 400))),
        "scope": "true",
        "rules": ["r0"],
        "outcomes": {
            status: {"code": f"code-{status}", "label": _pair(status), "meaning": _pair(status)}
            for status in ("met", "unmet", "unknown", "not-applicable")
        },
        "leaves_out": [{"en": "the rest of the world", "zh": "其余事项"}],
        "parameters": _parameters(draw, vocabulary),
        "lists": _lists(draw, vocabulary),
    }
    names = names_of(vocabulary, _parsed(data, plain, vocabulary))
    data["derive"] = _derive(draw, names)
    names = names_of(vocabulary, _parsed(data, plain, vocabulary))
    conditions = expression_texts(names)
    data["scope"] = draw(st.sampled_from(("true", "order.quantity > 0")) | conditions)
    rules: dict[str, dict[str, Any]] = {}
    for number in range(draw(st.integers(1, 4))):
        applies = draw(st.none() | conditions)
        rules[f"r{number}"] = _rule_data(draw, source, applies, draw(conditions))
    data["rules"] = list(rules)
    regime = _parsed(data, rules, vocabulary)
    for rule in regime.rules:
        found = _both_sides(vocabulary, regime, rule)
        if found is None and rule.applies is not None:
            rule = replace(rule, applies=None)
            del rules[rule.id]["applies"]
            found = _both_sides(vocabulary, regime, rule)
        if found is None:
            # Always true or always false: no such rule passes `check`.
            rules[rule.id]["require"] = "order.quantity <= 1000"
            found = ({"order.quantity": 1000}, {"order.quantity": 1001})
        rules[rule.id]["examples"] = [
            {"given": write_facts(vocabulary, stated), "finding": finding}
            for stated, finding in zip(found, ("met", "unmet"), strict=True)
        ]
    return RuleSet("drawn", data, rules)


def _both_sides(
    vocabulary: Vocabulary, regime: Regime, rule: Rule
) -> tuple[Stated, Stated] | None:
    """Facts that meet a rule on its first day, and facts that fail it."""
    alone = replace(regime, rules=(rule,))
    search = Search(describe(vocabulary, alone, rule.in_force.start), Random(0))
    met, unmet = search.finding(rule, met=True), search.finding(rule, met=False)
    return None if met is None or unmet is None else (met, unmet)


def _rule_data(draw: Draw[Any], source: str, applies: str | None, require: str) -> dict[str, Any]:
    start = _FIRST_DAY + draw(st.integers(0, 60))
    period = {"from": _iso(start)}
    if draw(st.booleans()):
        period["until"] = _iso(start + draw(st.integers(1, 300)))
    return {
        "title": _pair("drawn"),
        "kind": draw(st.sampled_from(KINDS_OF_RULE)),
        "certainty": draw(st.sampled_from(CERTAINTIES)),
        "due": draw(st.sampled_from(DUES)),
        "in_force": period,
        **({} if applies is None else {"applies": applies}),
        "require": require,
        "cite": [{"source": source, "says": "drawn"}],
        "examples": [],
    }


def _parameters(draw: Draw[Any], vocabulary: Vocabulary) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    for number in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(("integer", "ratio", "money", "boolean", "date")))
        days = draw(st.lists(st.integers(1, 300), max_size=2, unique=True).map(sorted))
        data: dict[str, Any] = {"type": kind, "values": []}
        if kind in _LARGEST:
            data |= {"min": "0", "max": {"ratio": "1"}.get(kind, str(_LARGEST[kind]))}
        if kind == "integer":
            data |= draw(st.sampled_from(({}, *({"unit": u} for u in _counted(vocabulary)))))
        for day in (0, *days):
            value = _parameter_value(draw, kind)
            data["values"].append({"from": _iso(_FIRST_DAY + day), "value": value})
        parameters[f"p{number}"] = data
    return parameters


def _counted(vocabulary: Vocabulary) -> list[str]:
    kinds = [fact.type for fact in vocabulary.facts.values()]
    return sorted({kind.unit for kind in kinds if kind.kind == "integer" and kind.unit})


def _parameter_value(draw: Draw[Any], kind: str) -> str:
    match kind:
        case "boolean":
            return str(draw(st.booleans())).lower()
        case "date":
            return _iso(_FIRST_DAY + draw(st.integers(-300, 300)))
        case "ratio":
            thousandths = draw(st.integers(0, 1000))
            return f"{thousandths // 1000}.{thousandths % 1000:03d}"
        case _:
            return str(draw(st.integers(0, _LARGEST[kind])))


def _lists(draw: Draw[Any], vocabulary: Vocabulary) -> dict[str, Any]:
    lists: dict[str, Any] = {}
    for number in range(draw(st.integers(0, 2))):
        of = draw(st.sampled_from(sorted(vocabulary.lists)))
        known = list(vocabulary.lists[of].codes)
        codes = draw(st.lists(st.sampled_from(known), min_size=1, max_size=5, unique=True))
        lists[f"l{number}"] = {"of": of, "codes": codes, "label": _pair("drawn")}
    return lists


def _derive(draw: Draw[Any], names: Names) -> dict[str, Any]:
    derive: dict[str, Any] = {}
    texts = expression_texts(names, "number")
    for number in range(draw(st.integers(0, 2))):
        text = draw(texts)
        made = type_of(_required(_read(text, names, "number")))
        data: dict[str, Any] = {"value": text, "label": _pair("drawn")}
        if made.unit == "USD":
            data["type"] = "money"
        else:
            scale = min(9, draw(st.integers(0, made.scale)))
            data |= {"type": "decimal", "scale": str(scale)}
            if made.unit is not None and not made.literal:
                data["unit"] = made.unit
        data["round"] = draw(st.sampled_from(("up", "down")))
        # What would leave 63 bits at its own scale is left out.
        if made.scale > 2 or data["type"] != "money" or _fits_money(made):
            derive[f"d{number}"] = data
    return derive


def _fits_money(made: Type) -> bool:
    largest = max(abs(made.lo or 0), abs(made.hi or 0))
    return bool(largest * 10 ** (2 - made.scale) < 2**63)


def _parsed(data: Mapping[str, Any], rules: Any, vocabulary: Vocabulary) -> Regime:
    regime = RuleSet("drawn", data, rules).parse(vocabulary)
    assert regime is not None
    return regime


def _node(data: Mapping[str, Any]) -> Node | None:
    return read_text(json.dumps(data, ensure_ascii=False), "drawn", "R")


def _pair(text: str) -> dict[str, str]:
    return {"en": text, "zh": "示例"}


def _iso(day: int) -> str:
    return date.fromordinal(day).isoformat()
