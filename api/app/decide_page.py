"""The Decide page: the form at the left, the answer at the right; paste, download, print."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response

from api.app import telling
from api.app.answers import fault
from api.app.form import Form, form_of, is_too_long, pairs, read_form, read_pasted, shown
from api.app.house import House
from api.app.pages import page, page_lang
from api.app.reading import read_json
from api.app.scenarios import is_draft, story_of
from api.service import Asked
from api.stories import envelope_of
from engine.decide import Decision, date_of
from engine.diagnostics import Diagnostic, OrderRejected, visible
from engine.ir import And, Arithmetic, Pair
from engine.load import Rulebook
from engine.names import inside, uses
from engine.order import Document, Order, order_from
from engine.source import as_yaml
from engine.values import Type, write
from engine.vocabulary import FactDefinition, Vocabulary
from engine.words import Lang, in_lang, worded

router = APIRouter(include_in_schema=False)
FIRST = "h200-article"
"""The rule set that an empty form begins with, where it is there."""
ALWAYS = ("customer.name", "order.placed_on")
"""Facts that stand in plain sight though no rule may rest on them."""
_INVISIBLE = Pair(
    "holds invisible characters; the printed page shows them as numbers",
    "含有不可见字符，打印页以编码显示",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field: its name in the form, its label, and the words."""

    field: str
    label: str
    text: str


@dataclass(slots=True)
class Answer:
    """What the page says to a form: decisions, the main one first, or what is wrong with it."""

    form: Form
    order: Order
    faults: list[Fault] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)


# --- routes ---


@router.get("/")
def decide_page(request: Request, draft: str = "", scenario: str = "", run: int = 0) -> Response:
    """The page: empty, or with a saved draft or a shipped story."""
    house: House = request.app.state.house
    book = house.service.rulebook()
    form = Form(FIRST if FIRST in book.regimes else next(iter(book.regimes)))
    strange: list[str] = []
    if draft or scenario:
        form, strange = _kept(house, draft or scenario, run, page_lang(request))
    found = answer_to(house, form, page_lang(request))
    return page(request, "decide.html", **_context(house, found, request) | {"strange": strange})


async def _fields(request: Request) -> list[tuple[str, str]]:
    try:
        return pairs(await request.body())
    except ValueError:
        raise OrderRejected([fault("O004", "the form cannot be read", "")]) from None


Sent = Annotated[list[tuple[str, str]], Depends(_fields)]
"""The fields of a form: the page is made in a thread, where nobody else has to wait for it."""


@router.post("/decide/answer")
def answer(request: Request, sent: Sent) -> Response:
    """The answer to a form, and what stands beside its fields."""
    house: House = request.app.state.house
    form = read_form(sent, house.service.rulebook())
    found = answer_to(house, form, page_lang(request))
    shown_page = page(request, "decide_answer.html", **_context(house, found, request))
    if found.faults:
        # No verdict from something else than what was typed: the last one stays, greyed.
        shown_page.headers["HX-Reswap"] = "none"
    return shown_page


@router.post("/decide/workspace")
def workspace(request: Request, sent: Sent) -> Response:
    """Form and answer anew: another rule set, a draft from a link, cells of a spreadsheet."""
    house: House = request.app.state.house
    book = house.service.rulebook()
    by_name = dict(sent)
    strange: list[str] = []
    pasted: tuple[int, list[tuple[str, str]]] | None = None
    if "state" in by_name:
        form, strange = form_of(_state(by_name["state"]), book)
        form.draft, form.version = by_name.get("draft", ""), by_name.get("version", "")
    else:
        form = read_form(sent, book)
    if by_name.get("pasted", "").strip():
        pasted = read_pasted(by_name["pasted"], book, form)
    found = answer_to(house, form, page_lang(request))
    context = _context(house, found, request) | {"strange": strange, "pasted": pasted}
    return page(request, "decide_workspace.html", **context)


@router.post("/decide/download")
def download(request: Request, sent: Sent) -> Response:
    """The order as a file; its name tells neither customer nor quantity."""
    house: House = request.app.state.house
    form, found, lang = _carried(request, sent)
    envelope = form.envelope(house.service.rulebook().vocabulary)
    kind = "yaml" if request.query_params.get("as") != "json" else "json"
    text = (
        as_yaml(envelope)
        if kind == "yaml"
        else json.dumps(envelope, ensure_ascii=False, indent=2) + "\n"
    )
    day = found.decisions[0]["regime"]["as_of"] if found.decisions else form.as_of or "draft"
    plain = telling.file_name(form.regime, day, kind, "en")
    named = quote(telling.file_name(form.regime, day, kind, lang))
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{named}"
    media = f"application/{kind}; charset=utf-8"
    return Response(text, headers={"Content-Disposition": disposition}, media_type=media)


@router.post("/decide/print")
def printed(request: Request, sent: Sent) -> Response:
    """The page to be filed: one decision for A4 or Letter."""
    house: House = request.app.state.house
    _, found, lang = _carried(request, sent)
    if found.faults:
        raise OrderRejected(
            [fault("O202", "; ".join(f"{f.label}: {f.text}" for f in found.faults))]
        )
    context = _context(house, found, request)
    decided = found.decisions[0]
    vocabulary, stated = context["vocabulary"], found.order.stated
    scope = rests_on(house.service.rulebook(), found.form.regime)
    used = {row["fact"] for row in telling.relied(decided)}
    said = [
        (
            vocabulary.facts[path],
            telling.written_value(value, vocabulary.facts[path], vocabulary, lang),
            path in scope,
        )
        for path, value in sorted(stated.items(), key=lambda one: one[0] not in scope)
        if path not in used
    ]
    host = request.headers.get("host", "")
    now = datetime.now(UTC)
    return page(request, "print.html", **context, said=said, now=now, host=host)


# --- what is asked ---


def _state(text: str) -> Any:
    return read_json(text.encode()).data


def _carried(request: Request, sent: Sent) -> tuple[Form, Answer, Lang]:
    """The form that a page hands on as a whole, and its answer."""
    house: House = request.app.state.house
    form, _ = form_of(_state(dict(sent).get("state", "{}")), house.service.rulebook())
    lang = page_lang(request)
    return form, answer_to(house, form, lang), lang


def _kept(house: House, id: str, run: int, lang: Lang) -> tuple[Form, list[str]]:
    """The form of a saved draft, or of one order of a shipped story. Raises what is told."""
    book = house.service.rulebook()
    if is_draft(id):
        draft = house.drafts.get(id)
        form, strange = form_of(draft.document, book)
        form.draft, form.version = draft.entry.id, str(draft.entry.version)
        form.title = draft.entry.title
        return form, strange
    story = story_of(house, id)
    chosen = story.runs[max(0, min(run, len(story.runs) - 1))]
    form, strange = form_of(envelope_of(chosen, book.vocabulary), book)
    form.title = in_lang(story.scenario.title, lang)
    if chosen.title != story.scenario.title:
        form.title += f"{': ' if lang == 'en' else '：'}{in_lang(chosen.title, lang)}"
    return form, strange


def answer_to(house: House, form: Form, lang: Lang) -> Answer:
    """Decide the order of a form under each rule set that it names; or say what is wrong."""
    book = house.service.rulebook()
    vocabulary = book.vocabulary
    faults: list[Diagnostic] = []
    envelope = form.envelope(vocabulary)
    order = order_from(vocabulary, Document(envelope).part("facts"), faults)
    asked = Asked(house.today(), only=form.only())
    found = Answer(form, order)
    try:
        found.decisions.append(house.decide(Document(envelope), asked))
    except OrderRejected as error:
        found.faults = _faults(error.diagnostics, form, book, lang)
        return found
    # What is changed in the rules is changed in those of the main rule set alone.
    kept = {k: v for k, v in envelope.items() if k not in ("parameters", "without")}
    for id in form.also:
        found.decisions.append(house.decide(Document({**kept, "regime": id}), asked))
    house.decided(found.decisions)
    return found


def _faults(
    diagnostics: Iterable[Diagnostic], form: Form, book: Rulebook, lang: Lang
) -> list[Fault]:
    """Faults by the field they are about; those of no field stand for themselves."""
    vocabulary, regime = book.vocabulary, book.regimes[form.regime]
    found: list[Fault] = []
    rank = {path: number for number, path in enumerate(vocabulary.facts)}
    for told in sorted(diagnostics, key=lambda d: rank.get(d.span.pointer[7:], -1)):
        part, _, name = told.span.pointer.removeprefix("/").partition("/")
        name = name.replace("~1", "/").replace("~0", "~")
        kind: Type | None = None
        label: Pair | None = None
        place = part
        if part == "facts" and name in vocabulary.facts:
            fact = vocabulary.facts[name]
            kind, label, place = fact.type, fact.label, f"fact:{name}"
        elif part == "parameters" and name in regime.parameters:
            parameter = regime.parameters[name]
            kind, label, place = parameter.type, parameter.label, f"param:{name}"
        elif part == "as_of":
            kind, label = Type("date"), Pair("rules as of", "规则基准日")
        elif part == "basis":
            path, _, slot = name.rpartition("/")
            kind, place = Type("date" if slot == "dated" else "text"), f"{slot}:{path}"
            label = vocabulary.facts[path].label if path in vocabulary.facts else None
        typed = (form.facts if part == "facts" else form.parameters).get(name, "")
        text = telling.fault_text(told, lang, kind, label, is_too_long(typed))
        found.append(Fault(place, in_lang(label, lang) if label else "", text))
    return found


# --- what templates are given ---


def _context(house: House, found: Answer, request: Request) -> dict[str, Any]:
    book, lang = house.service.rulebook(), page_lang(request)
    vocabulary, regime = book.vocabulary, book.regimes[found.form.regime]
    asked_day = found.form.as_of or None
    day, _ = date_of(regime, found.order, _day(asked_day), house.today())
    main = found.decisions[0] if found.decisions else None
    return {
        "answer": found,
        "form": found.form,
        "regimes": book.regimes,
        "regime": regime,
        "vocabulary": vocabulary,
        "day": day,
        "groups": _groups(book, found.form),
        "beside": json.dumps(_beside(book, found, lang), ensure_ascii=False),
        "state": json.dumps(found.form.state(vocabulary), ensure_ascii=False),
        "reasons": telling.plain_reasons(main, book) if main else {"en": "", "zh": ""},
        "tell": telling,
        "words": telling.WORDS,
        "shown": shown,
        "visible": visible,
        "worded": worded,
        "units": vocabulary.units,
        "strange": [],
        "pasted": None,
    }


def _day(iso: str | None) -> int | None:
    try:
        return date.fromisoformat(iso).toordinal() if iso else None
    except ValueError:
        return None


def _groups(
    book: Rulebook, form: Form
) -> list[tuple[str, Pair, list[FactDefinition], list[FactDefinition]]]:
    """The groups of the form: facts that the rule sets rest on, and the others."""
    needed = {p for id in (form.regime, *form.also) for p in rests_on(book, id)} | set(ALWAYS)
    facts = book.vocabulary.facts.values()
    return [
        (
            id,
            name,
            [f for f in facts if f.group == id and f.path in needed],
            [f for f in facts if f.group == id and f.path not in needed and not f.derived],
        )
        for id, name in book.vocabulary.groups.items()
    ]


def rests_on(book: Rulebook, id: str) -> set[str]:
    """The facts that the scope and the rules of a rule set rest on, with what supplies them."""
    regime, vocabulary = book.regimes[id], book.vocabulary
    exprs = [regime.scope, *(rule.require for rule in regime.rules)]
    exprs += [rule.applies for rule in regime.rules if rule.applies is not None]
    names = {*inside(regime, vocabulary, And(tuple(exprs), regime.span)), regime.dated_by}
    found = {name for name in names if name in vocabulary.facts}
    return found | {s for p in found if (s := vocabulary.facts[p].catalogue) is not None}


def _beside(book: Rulebook, found: Answer, lang: Lang) -> dict[str, dict[str, str]]:
    """What stands beside each field: its tidied value, a fault, the catalogue's value, its unit."""
    form, order, vocabulary = found.form, found.order, book.vocabulary
    told: dict[str, dict[str, str]] = {}
    for path, fact in vocabulary.facts.items():
        here: dict[str, str] = {}
        if fact.derived is not None:
            here["text"] = _computed(vocabulary, found, fact, lang)
        elif path in form.facts:
            here["value"] = shown(form.facts[path], fact.type)
            if fact.type.kind == "text" and visible(form.facts[path]) != form.facts[path]:
                here["caution"] = in_lang(_INVISIBLE, lang)
        elif path in order.supplied:
            value = order.supplied[path]
            here["supplied"] = telling.written_value(value, fact, vocabulary, lang)
            if fact.type.is_numeric:
                here["bare"] = shown(str(write(value, fact.type)), fact.type)
        if fact.counted_in is not None:
            here["unit"] = _unit(vocabulary, order, fact, lang)
        if here:
            told[f"fact:{path}"] = here
    for name, text in form.parameters.items():
        kind = book.regimes[form.regime].parameters[name].type
        told[f"param:{name}"] = {"value": shown(text, kind)}
    for wrong in found.faults:
        told.setdefault(wrong.field, {})["fault"] = wrong.text
    if found.decisions:
        words = telling.when(found.decisions[0]["regime"]["as_of"], lang)
        origin = telling.dated_from(found.decisions[0], vocabulary, lang)
        text = f"{words}, {origin}" if lang == "en" else f"{words}，{origin}"
        told.setdefault("as_of", {})["text"] = text
    return told


def _computed(vocabulary: Vocabulary, found: Answer, fact: FactDefinition, lang: Lang) -> str:
    """A derived fact in words, with what it is made of: `9,376 boards × 8 = 75,008 chips`."""
    figures = found.decisions[0]["figures"] if found.decisions else []
    result = next((f["text"] for f in figures if f["name"] == fact.path), None)
    if result is None or fact.derived is None:
        return ""
    parts: list[str] = []
    for name in uses(fact.derived.value):
        part, value = vocabulary.facts[name], found.order.values[vocabulary.facts[name].slot]
        if part.counted_in is not None:
            code = str(found.order.values[vocabulary.facts[part.counted_in].slot])
            unit = vocabulary.units.get(code) or vocabulary.units.get(part.type.unit or "")
            parts.append(worded(value, part.type, unit, lang))
        elif value != 1:
            parts.append(telling.written_value(value, part, vocabulary, lang))
    product = isinstance(fact.derived.value, Arithmetic) and fact.derived.value.op == "*"
    if not product or len(parts) < 2:
        return str(result[lang])
    return f"{' × '.join(parts)} = {result[lang]}"


def _unit(vocabulary: Vocabulary, order: Order, fact: FactDefinition, lang: Lang) -> str:
    """The unit in which a quantity is counted: boards, where the product is sold by the board."""
    code = order.values[vocabulary.facts[fact.counted_in or ""].slot]
    unit = vocabulary.units.get(str(code)) or vocabulary.units.get(fact.type.unit or "")
    return "" if unit is None else unit.many if lang == "en" else unit.zh.strip()
