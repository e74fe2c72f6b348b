"""Turn one rule file into a rule, every fault noted with its place."""

from __future__ import annotations

from typing import cast

from engine.diagnostics import nearest, shown
from engine.expression import Names, condition
from engine.ir import (
    CERTAINTIES,
    DUES,
    KINDS_OF_RULE,
    STATUSES,
    Citation,
    Example,
    Expr,
    Note,
    Pair,
    Rule,
    Settled,
    Status,
)
from engine.shape import Reader, head
from engine.source import Mapping, Node, Scalar, plain

RULE_REQUIRED = ("title", "kind", "certainty", "due", "in_force", "require", "cite", "examples")
RULE_OPTIONAL = (
    "known_from",
    "parameters",
    "applies",
    "settles",
    "remarks",
    "cautions",
    "obligations",
)


def parse_rule(name: str, top: Mapping, names: Names, reader: Reader) -> Rule | None:
    """Read one rule file, whose names have been checked (`shape_of_rule`)."""
    title = reader.pair(top.get("title"))
    kind = reader.word(top.get("kind"), KINDS_OF_RULE)
    certainty = reader.word(top.get("certainty"), CERTAINTIES)
    due = reader.word(top.get("due"), DUES)
    in_force = reader.period(top.get("in_force"))
    known_from = reader.day(top.get("known_from"))
    applies_node = top.get("applies")
    applies = read_condition(applies_node, names, reader)
    require = read_condition(top.get("require"), names, reader)
    cite = tuple(c for item in reader.items(top.get("cite")) if (c := read_citation(reader, item)))
    settles = tuple(
        s for item in reader.items(top.get("settles")) if (s := _settled(reader, item))
    )
    remarks = read_notes(top.get("remarks"), names, reader)
    cautions = read_notes(top.get("cautions"), names, reader)
    obligations = read_notes(top.get("obligations"), names, reader, from_fact=True)
    examples = tuple(
        e for item in reader.items(top.get("examples")) if (e := _example(reader, item))
    )
    if not (title and kind and certainty and due and in_force and require):
        return None
    return Rule(
        name,
        title,
        kind,
        certainty,
        due,
        in_force,
        known_from,
        applies,
        require,
        cite,
        settles,
        remarks,
        cautions,
        obligations,
        examples,
        head(top.span),
    )


def read_condition(node: Node | None, names: Names, reader: Reader) -> Expr | None:
    """A condition, or nothing where it is absent or has a fault."""
    scalar = reader.scalar(node)
    return condition(scalar, names, reader.faults) if scalar else None


def read_notes(
    node: Node | None, names: Names, reader: Reader, *, from_fact: bool = False
) -> tuple[Note, ...]:
    """Sentences with their conditions; those of agencies name the fact they come `from`."""
    notes: list[Note] = []
    required = ("from", "when", "en", "zh") if from_fact else ("when", "en", "zh")
    for item in reader.items(node):
        entry = reader.mapping(item, required)
        if entry is None:
            continue
        when = read_condition(entry.get("when"), names, reader)
        en, zh = reader.text(entry.get("en")), reader.text(entry.get("zh"))
        origin = reader.text(entry.get("from")) if from_fact else None
        if origin and origin not in names.facts:
            reader.fault(
                "204",
                cast(Scalar, entry.get("from")).span,
                f"unknown fact {shown(origin)}",
                nearest(origin, names.facts),
            )
        if when and en and zh:
            notes.append(Note(when, Pair(en, zh), origin))
    return tuple(notes)


def read_citation(reader: Reader, node: Node) -> Citation | None:
    """Where something comes from, or nothing where that has a fault."""
    entry = reader.mapping(node, ("source",), ("at", "quote", "en", "zh", "says"))
    if entry is None:
        return None
    source = reader.text(entry.get("source"))
    quote = reader.text(entry.get("quote"))
    en, zh = reader.text(entry.get("en")), reader.text(entry.get("zh"))
    says = reader.pair_or_text(entry.get("says"))
    if quote is None and says is None:
        reader.fault(
            "303",
            head(node.span),
            "the citation has neither the source's words nor what it says",
            "add `quote` with its translation, or `says`",
        )
    if quote is not None and en is None and zh is None:
        reader.fault(
            "303",
            head(node.span),
            "the quotation has no translation",
            "add `en` or `zh`, the language that the source is not in",
        )
    if quote is None and (en or zh):
        reader.fault("303", head(node.span), "there is a translation but no `quote`", "")
    if en and zh:
        reader.fault(
            "303", head(node.span), "a quotation has one translation", "keep `en` or `zh`"
        )
    if source is None:
        return None
    at = reader.text(entry.get("at"))
    return Citation(source, at, quote, en or zh, says, head(node.span))


def _settled(reader: Reader, node: Node) -> Settled | None:
    entry = reader.mapping(node, ("question", "answer"), ("certainty",))
    if entry is None:
        return None
    question = reader.pair_or_text(entry.get("question"))
    answer = reader.pair_or_text(entry.get("answer"))
    certainty = reader.word(entry.get("certainty"), CERTAINTIES)
    return Settled(question, answer, certainty) if question and answer else None


def _example(reader: Reader, node: Node) -> Example | None:
    entry = reader.mapping(node, ("given", "finding"), ("as_of",))
    if entry is None:
        return None
    finding = cast(Status | None, reader.word(entry.get("finding"), STATUSES))
    given = reader.open_mapping(entry.get("given"))
    day = reader.day(entry.get("as_of"))
    if finding is None or given is None:
        return None
    places = {name: (key.span, value.span) for name, key, value in given}
    said = entry.entries["finding"][1].span
    return Example(cast(dict[str, object], plain(given)), finding, day, said, places)
