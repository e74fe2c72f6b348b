"""Turn the transitions of a process into data, every fault noted with its place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, cast

from engine.diagnostics import Span, nearest, shown
from engine.draft import Draft
from engine.expression import Names, condition, term
from engine.ir import CERTAINTIES, Constant, Expr, Regime, type_of
from engine.parse_rule import read_citation
from engine.process import Transition
from engine.shape import head
from engine.source import Mapping as Entries
from engine.source import Node, Scalar
from engine.values import Type

TRANSITION_REQUIRED = ("from", "says", "certainty", "cite")
TRANSITION_OPTIONAL = ("on", "after", "when", "otherwise", "to", "set", "refuse", "hold", "held")


def parse_transitions(draft: Draft, node: Node | None, regime: Regime) -> tuple[Transition, ...]:
    """Read transitions in their order."""
    made: list[Transition] = []
    for item in draft.reader.items(node):
        transition = _transition(draft, len(made), item, regime)
        if transition is not None:
            made.append(transition)
    return tuple(made)


def _transition(draft: Draft, number: int, node: Node, regime: Regime) -> Transition | None:
    reader = draft.reader
    entry = reader.mapping(node, TRANSITION_REQUIRED, TRANSITION_OPTIONAL)
    if entry is None:
        return None
    place = head(node.span)
    stages = draft.stages_in(entry.get("from"), "408", "nothing leads on")
    on = draft.one(entry.get("on"), draft.known["events"], "event")
    after = draft.one(entry.get("after"), draft.known["clocks"], "clock")
    to = draft.one(entry.get("to"), draft.known["stages"], "stage")
    event = draft.events.get(on or "")
    told = event.fields if event else draft.fields.values() if "on" in entry.entries else None
    names = draft.names(regime, told)
    when = draft.expr(condition, entry.get("when"), names)
    says, otherwise = reader.pair(entry.get("says")), reader.pair(entry.get("otherwise"))
    hold = reader.word(entry.get("hold"), ("begin", "end"))
    held = reader.word(entry.get("held"), ("also", "only"))
    rules = [rule.id for rule in regime.rules]
    refuses = draft.one(entry.get("refuse"), rules, "rule")
    _contradictions(draft, entry, place, to in stages)
    sets = tuple(_sets(draft, entry.get("set"), names))
    certainty = reader.word(entry.get("certainty"), CERTAINTIES)
    cite = tuple(
        c for item in reader.items(entry.get("cite")) if (c := read_citation(reader, item))
    )
    if not (says and certainty and (on or after)):
        return None
    return Transition(
        *(number, stages, on, after, when, to, sets, refuses),
        cast(Literal["begin", "end"] | None, hold),
        "only" if hold == "end" else cast(Literal["also", "only"] | None, held) or "no",
        *(says, otherwise, cite, certainty, place),
    )


def _contradictions(draft: Draft, entry: Entries, place: Span, stays: bool) -> None:
    """Parts of a transition of which one says what the other denies."""
    said = entry.entries

    def fault(name: str, message: str, help: str) -> None:
        draft.reader.fault("408", said[name][0].span if name else place, message, help)

    if ("on" in said) == ("after" in said):
        help = "an event moves a case, or the end of a clock's time"
        fault("after" if "on" in said else "", "a transition has either `on` or `after`", help)
    elif "after" in said and "otherwise" in said:
        fault("otherwise", "nobody sends the end of a clock's time", "leave it out")
    elif "on" in said and ("when" in said) != ("otherwise" in said):
        help = "`otherwise` tells a sender why the event is not taken"
        one = "when" if "when" in said else "otherwise"
        fault(one, "`when` and `otherwise` stand together", help)
    for name in ("to", "set", "hold", "after"):
        if "refuse" in said and name in said:
            help = "it is put on record and changes nothing else"
            fault(name, "what is refused has no effect", help)
    if stays:
        fault("to", "the stage leads to itself", "leave `to` out where the case stays")
    hold, held = entry.get("hold"), entry.get("held")
    if isinstance(hold, Scalar) and hold.text == "end" and held is not None:
        fault("held", "a hold ends only where there is one", "leave `held` out")


def _sets(draft: Draft, node: Node | None, names: Names) -> Iterable[tuple[str, Expr]]:
    reader = draft.reader
    for path, key, value in reader.open_mapping(node) or ():
        kept = draft.keeps.get(path)
        if path not in draft.known["keeps"]:
            help = nearest(path, draft.known["keeps"]) or "add it to `keeps`"
            reader.fault("401", key.span, f"the process does not keep {shown(path)}", help)
        expr = draft.expr(term, value, names)
        if expr is None or kept is None:
            continue
        misfit = _misfit(draft, expr, kept.type)
        if misfit:
            reader.fault("409", value.span, f"`{path}` {misfit}", "give a value of its type")
        else:
            yield path, expr


def _misfit(draft: Draft, expr: Expr, wanted: Type) -> str:
    """Why a value cannot be kept as what it is set to, or nothing."""
    made = type_of(expr)
    if wanted.kind == "code":
        codes = draft.lists[wanted.codes or ""][0].codes
        if isinstance(expr, Constant) and made.kind == "code":
            known = draft.codes_at_fault or expr.value in codes
            return "" if known else f"has no code {shown(str(expr.value))}"
        return "" if made.codes == wanted.codes else f"takes a code of `{wanted.codes}`"
    if wanted.is_numeric and made.is_numeric:
        if made.unit != wanted.unit and not made.literal:
            units = (kind.unit or "plain numbers" for kind in (wanted, made))
            return "is in `{}`, not in `{}`".format(*units)
        return "" if made.scale <= wanted.scale else f"keeps {wanted.scale} decimals"
    return "" if made.kind == wanted.kind else f"is {wanted.kind}, not {made.kind}"
