// The What-if page: takes an order and a question, asks the service, shows the answer.

import { linkTo, readDraft } from "./draft.js";
import { View, draw } from "./whatif-picture.js";
import { definition, element, isContinuous, known, pair, position, say, told, typed, visible } from "./whatif-values.js";
import { products, status, why, words } from "./whatif-words.js";

const at = (id) => document.getElementById(id);
const KEY_FACTS = [
  "customer.name", "item.product", "order.quantity", "order.unit_price", "customer.units_to_date",
  "order.destination", "order.placed_on",
];
const SHORT_LIST = 40;
/** Points of an axis that nobody has chosen: of the only one, and of each of two. */
const MOST_POINTS = { one: 201, two: 101 };

/** The order that everything starts from: an envelope with one rule set. */
let order = null;
let stop = () => {};
/** Answers to a question that was asked before the last one are not shown. */
let asked = 0;

const regime = () => at("regime").value;
const rules = () => known.regimes[regime()];

// --- the order ---

async function take(of) {
  const answer = await fetch(`/what-if/order?of=${encodeURIComponent(of)}`).catch(() => Response.error());
  if (!answer.ok) return complain(await answer.json().catch(() => null));
  const { order: taken, orders } = await answer.json();
  at("of").value = of.split("@")[0];
  at("run").replaceChildren(...orders.map((one) => new Option(one.title, one.of, false, one.of === of)));
  at("variation").hidden = orders.length < 2;
  history.replaceState(null, "", `/what-if?of=${encodeURIComponent(of)}`);
  use(taken);
}

/** Start from an order: its rule set, its policy, its key facts, and the first picture. */
function use(state) {
  order = state;
  at("none").hidden = true;
  at("wanted").hidden = false;
  const wanted = state.regime ?? state.regimes?.[0];
  if (wanted in known.regimes) at("regime").value = wanted;
  offerRules();
  showBase();
  ask();
}

async function showBase() {
  const base = at("base");
  base.replaceChildren();
  if (order.title) base.append(element("strong", pairOrText(order.title)), element("br"));
  for (const path of KEY_FACTS.filter((one) => order.facts[one] !== undefined && order.facts[one] !== null)) {
    const { label } = known.facts[path];
    base.append(element("small", label), " ", element("bdi", told(known.facts[path], order.facts[path])), " · ");
  }
  const answer = await post("/v1/decide", { ...envelope(), ...policyOf(order) }).catch(() => null);
  if (answer) base.append(say("outcome_now"), status(answer));
}

const pairOrText = (title) => visible(typeof title === "string" ? title : pair(title));

/** The order as it is sent: rule set, date, facts; texts such as names are left out. */
function envelope(id = regime()) {
  const facts = Object.entries(order.facts).filter(([path]) => known.facts[path]?.kind !== "text");
  return { regime: id, ...(order.as_of ? { as_of: order.as_of } : {}), facts: Object.fromEntries(facts) };
}

function policyOf({ parameters, without, regime: id }) {
  if (id !== regime()) return {};
  return { ...(parameters ? { parameters } : {}), ...(without ? { without } : {}) };
}

// --- the question ---

function offerRules() {
  const day = order.as_of ?? order.facts[rules().dated_by] ?? new Date().toLocaleDateString("en-CA", { timeZone: "America/New_York" });
  const brought = policyOf(order);
  at("parameters").replaceChildren(...Object.entries(rules().parameters).map(([name, def]) => {
    const label = element("label", "", "parameter");
    const box = document.createElement("input");
    const value = inForce(def, day);
    box.name = name;
    box.dataset.pointer = `/parameters/${name}`;
    box.placeholder = value === null ? "" : told(def, value);
    if (brought.parameters?.[name] !== undefined) box.value = told(def, brought.parameters[name], true);
    const present = value === null ? say("not_yet") : say("in_force", { value: told(def, value) });
    label.append(element("span", def.label), box, element("small", present));
    return label;
  }));
  at("without").replaceChildren(...Object.entries(rules().rules).map(([id, title]) =>
    ticked(id, title, brought.without?.includes(id) ?? false)));
  at("policy").open = Boolean(brought.parameters || brought.without);
  for (const side of ["x", "y"]) offerAxis(side);
  offerCount("x");
  offerQuestions();
}

const inForce = (def, day) => def.values.filter(([from]) => from <= day).at(-1)?.[1] ?? null;

function ticked(value, text, checked) {
  const label = element("label", "", "tick");
  const box = document.createElement("input");
  Object.assign(box, { type: "checkbox", value, checked });
  label.append(box, ` ${text}`);
  return label;
}

const part = (side, name) => at(side).querySelector(`[data-part=${name}]`);

function offerAxis(side) {
  const select = part(side, "name");
  select.replaceChildren();
  if (side === "y") select.append(new Option(say("none"), ""));
  const group = (label, options) => {
    if (!options.length) return;
    const made = element("optgroup");
    made.label = label;
    made.append(...options.map(([value, text]) => new Option(text, value)));
    select.append(made);
  };
  const rests = new Set(rules().rests_on);
  const listed = (wanted, id) => Object.entries(known.facts)
    .filter(([path, fact]) => fact.group === id && fact.kind !== "text" && rests.has(path) === wanted)
    .map(([path, fact]) => [`fact:${path}`, fact.label]);
  group(say("parameters"), Object.entries(rules().parameters).map(([name, def]) => [`parameter:${name}`, def.label]));
  for (const [id, label] of Object.entries(known.groups)) group(say("rests") + label, listed(true, id));
  for (const [id, label] of Object.entries(known.groups)) group(say("others") + label, listed(false, id));
  if (side === "x") select.value = rests.has("order.quantity") ? "fact:order.quantity" : `fact:${rules().rests_on[0]}`;
  offerValues(side);
}

/** What an axis varies: `{fact}` or `{parameter}`, or nothing. */
function subject(side) {
  const [kind, name] = part(side, "name").value.split(/:(.*)/);
  return name ? { [kind]: name } : null;
}

/** Defaults around the value that the order has, or that is in force. */
function offerValues(side) {
  const what = subject(side);
  const [span, list, long] = [at(side).querySelector(".span"), at(side).querySelector(".list"), at(side).querySelector(".typed")];
  span.hidden = list.hidden = long.hidden = true;
  if (!what) return;
  const def = definition(regime(), what);
  const base = baseValue(what);
  if (isContinuous(def)) {
    span.hidden = false;
    const [from, to] = around(def, base, what);
    part(side, "from").value = shownAs(def, from);
    part(side, "to").value = shownAs(def, to);
    delete part(side, "count").dataset.chosen;
    offerCount(side);
    return;
  }
  if (def.kind === "boolean") {
    list.replaceChildren(...["true", "false", ""].map((value) =>
      ticked(value, value ? told(def, value) : say("unknown"), true)));
    list.hidden = false;
    return;
  }
  const codes = Object.entries(known.codes[def.codes]);
  if (codes.length <= SHORT_LIST) {
    list.replaceChildren(...codes.map(([code, text]) => ticked(code, text, true)), ticked("", say("unknown"), false));
    list.hidden = false;
    return;
  }
  long.hidden = false;
  const some = ["CN", "HK", "MO", "TW", "SG", "MY", "AE", "DE", "US"].filter((code) => known.codes[def.codes][code]);
  part(side, "typed").value = [...new Set([...(base ? [base] : []), ...some])].join(", ");
}

/** As many points as give a step of 1, 2 or 5 × 10^n, so that lines of change begin at round values. */
function offerCount(side) {
  const what = subject(side);
  const field = part(side, "count");
  if (!what || at(side).querySelector(".span").hidden || field.dataset.chosen) return;
  const def = definition(regime(), what);
  const [from, to] = ["from", "to"].map((name) => typed(def, part(side, name).value));
  if (from === null || to === null) return;
  const most = subject("y") ? MOST_POINTS.two : MOST_POINTS.one;
  const length = position(def, to) - start(def, from);
  const least = Math.floor(Math.log10(length / most));
  for (let power = Math.max(least, -(def.scale ?? 0)); 10 ** power <= length; power++) {
    for (const digit of [1, 2, 5]) {
      const steps = length / (digit * 10 ** power);
      if (steps + 1 > most || Math.abs(steps - Math.round(steps)) > 1e-9) continue;
      const whole = def.kind === "integer" ? Number(to) - Number(from) : Infinity;
      field.value = Math.min(Math.round(steps), whole) + 1;
      return;
    }
  }
  field.value = most;
}

/** Where steps are counted from: 1, 1,000, 2,000 … is rounder than 1, 1,001, 2,001 … */
const start = (def, from) => (def.kind === "integer" && from === "1" ? 0 : position(def, from));

function baseValue(what) {
  if (what.fact) return order.facts[what.fact] ?? known.catalogue["item.product"]?.[order.facts["item.product"]]?.[what.fact];
  const def = rules().parameters[what.parameter];
  return policyOf(order).parameters?.[what.parameter] ?? inForce(def, order.as_of ?? "9999") ?? def.values[0]?.[1];
}

function around(def, base, what) {
  if (def.kind === "date") {
    const middle = Date.parse(base ?? order.as_of ?? "2026-02-01");
    return [-45, 45].map((days) => new Date(middle + days * 864e5).toISOString().slice(0, 10));
  }
  if (def.kind === "ratio") return ["0", "1"];
  const from = Number(def.lo ?? 0) > 0 ? def.lo : "0";
  const value = Number(base ?? 0);
  // Twice the present value, rounded up: 20,000 gives 40,000 and 55,000 gives 150,000.
  const twice = Math.max(value * 2, what.fact === "customer.units_to_date" ? 100000 : 10);
  const step = 10 ** Math.floor(Math.log10(twice)) / 2;
  const to = Math.ceil(twice / step) * step;
  return [from, String(def.hi !== null && to > Number(def.hi) ? def.hi : BigInt(Math.round(to)))];
}

const shownAs = (def, value) => (def.kind === "date" ? value : told({ ...def, unit: null }, value, true));

function offerQuestions() {
  const rests = new Set(rules().rests_on);
  const fact = (path) => (rests.has(path) ? `fact:${path}` : null);
  const parameter = Object.keys(rules().parameters).map((name) => `parameter:${name}`)[0] ?? null;
  const cap = "cap" in rules().parameters ? "parameter:cap" : parameter;
  const pairs = [
    [fact("order.quantity"), ""],
    [fact("order.quantity"), fact("customer.units_to_date")],
    [fact("order.quantity"), cap],
    [fact(rules().dated_by), ""],
    [fact("order.destination"), ""],
  ];
  const name = (value) => {
    const [kind, id] = value.split(/:(.*)/);
    return kind === "fact" ? known.facts[id].label : rules().parameters[id].label;
  };
  at("offers").replaceChildren(...pairs.filter(([x, y]) => x && y !== null).map(([x, y]) => {
    const button = element("button", y ? say("offer_two", { x: name(x), y: name(y) }) : name(x));
    button.type = "button";
    button.addEventListener("click", () => {
      part("x", "name").value = x;
      part("y", "name").value = y;
      offerValues("x");
      offerValues("y");
      ask();
    });
    return button;
  }));
}

/** The axis as the service reads it. Throws what is wrong with a field. */
function axis(side) {
  const what = subject(side);
  if (!what) return null;
  const def = definition(regime(), what);
  if (!isContinuous(def)) return { ...what, values: chosenValues(side, def) };
  const [from, to] = ["from", "to"].map((name) => fitting(def, part(side, name)));
  if (position(def, to) <= position(def, from)) throw new Wrong(part(side, "to"), say("backwards"));
  let count = Number(part(side, "count").value.replace(",", ""));
  if (!Number.isInteger(count) || count < 2) throw new Wrong(part(side, "count"), say("bad_number"));
  if (at("y").querySelector("select").value) count = Math.min(count, 316);
  const step = (Number(to) - start(def, from)) / (count - 1);
  if (def.kind === "integer" && from === "1" && step > 1 && Number.isInteger(step)) {
    const after = Array.from({ length: count - 1 }, (_, number) => String((number + 1) * step));
    return { ...what, values: [from, ...after] };
  }
  if (def.kind === "integer") count = Math.min(count, Number(to) - Number(from) + 1);
  if (def.kind === "date") count = Math.min(count, (Date.parse(to) - Date.parse(from)) / 864e5 + 1);
  return { ...what, from, to, count: Math.max(2, count) };
}

/** What stands in a field, if the service would take it. */
function fitting(def, field) {
  const value = typed(def, field.value);
  if (value === null) throw new Wrong(field, say("bad_number"));
  const place = position(def, value);
  const [lo, hi] = [def.lo, def.hi].map((end) => (end === null ? null : told(def, end)));
  if ((lo && place < position(def, def.lo)) || (hi && place > position(def, def.hi))) {
    throw new Wrong(field, say("bounds", { lo: lo ?? "–", hi: hi ?? "–" }));
  }
  return value;
}

function chosenValues(side, def) {
  const value = (text) => (text === "" ? null : def.kind === "boolean" ? text === "true" : text);
  if (at(side).querySelector(".typed").hidden) {
    const boxes = [...at(side).querySelectorAll(".list input:checked")];
    if (!boxes.length) throw new Wrong(at(side).querySelector(".list"), say("nothing_chosen"));
    return boxes.map((box) => value(box.value));
  }
  const all = known.codes[def.codes];
  const named = new Map(Object.entries(all).map(([code, text]) => [text.toLowerCase(), code]));
  const words = part(side, "typed").value.split(/[,，、;；\n]/).map((word) => word.trim()).filter(Boolean);
  const codes = words.map((word) => (word.toUpperCase() in all ? word.toUpperCase() : named.get(word.toLowerCase())));
  const missed = words.filter((_, number) => !codes[number]);
  if (missed.length) throw new Wrong(part(side, "typed"), say("unknown_codes", { codes: missed.join(", ") }));
  if (!codes.length) throw new Wrong(part(side, "typed"), say("nothing_chosen"));
  return [...new Set(codes)];
}

class Wrong extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

function changedPolicy(axes) {
  const parameters = {};
  for (const box of at("parameters").querySelectorAll("input")) {
    if (!box.value.trim() || axes.some((one) => one.parameter === box.name)) continue;
    parameters[box.name] = fitting(rules().parameters[box.name], box);
  }
  const without = [...at("without").querySelectorAll("input:checked")].map((box) => box.value);
  return {
    ...(Object.keys(parameters).length ? { parameters } : {}),
    ...(without.length ? { without } : {}),
  };
}

/** The facts of a sweep: what the catalogue says of a product cannot be varied beside that product. */
function without(facts, axes) {
  const rows = known.catalogue["item.product"] ?? {};
  const supplied = Object.keys(known.facts).filter((path) => known.facts[path].catalogue === "item.product");
  const named = axes.map((one) => one.fact);
  let left = { ...facts };
  if (named.includes("item.product")) for (const path of supplied) delete left[path];
  else if (named.some((path) => supplied.includes(path)) && left["item.product"]) {
    left = { ...rows[left["item.product"]], ...left };
    delete left["item.product"];
  }
  for (const path of named) delete left[path];
  return left;
}

// --- asking ---

async function post(address, body) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Accept-Language": known.lang === "zh" ? "zh-CN" : "en" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw await answer.json().catch(() => null);
  return answer.json();
}

async function ask() {
  const turn = ++asked;
  forgive();
  let question;
  let policy;
  try {
    const axes = ["x", "y"].map(axis).filter(Boolean);
    policy = changedPolicy(axes);
    question = { ...envelope(), axes };
    question.facts = without(question.facts, axes);
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    return blame(error.field, error.message);
  }
  at("draw").disabled = true;
  const changed = Object.keys(policy).length > 0;
  try {
    const [sweep, base] = await Promise.all([
      post("/v1/sweep", { ...question, ...policy }),
      changed ? post("/v1/sweep", question) : null,
    ]);
    if (turn !== asked) return;
    at("answer").classList.remove("stale");
    show(sweep, base, question, policy);
  } catch (problem) {
    if (problem instanceof Error) throw problem;
    if (turn === asked) complain(problem);
  } finally {
    at("draw").disabled = false;
  }
}

function show(sweep, base, question, policy) {
  const view = new View(sweep, question.regime);
  const before = base && sweep.policy_changes.length ? new View(base, question.regime) : null;
  const [x, y] = view.axes;
  stop();
  at("figure").hidden = false;
  at("compared").replaceChildren();
  const title = say(y ? "title_two" : "title_one", { regime: pair(sweep.regime.title), x: x.name, y: y?.name });
  at("title").textContent = sweep.hypothetical_policy ? say("marked", { title }) : title;
  const name = order.title ? pairOrText(order.title) : "";
  at("subtitle").textContent = sweep.regime.as_of
    ? say("as_of", { day: told({ kind: "date" }, sweep.regime.as_of), order: name })
    : say("as_of_moves", { fact: known.facts[sweep.regime.as_of_from]?.label ?? "", order: name });
  if (question.facts["item.product"] === undefined && order.facts["item.product"] && !question.axes.some((one) => one.fact === "item.product")) {
    at("subtitle").textContent += ` ${say("item_note")}`;
  }
  const changes = changesOf(sweep);
  const varied = view.axes.filter((one) => one.parameter).map((one) => say("varied", { name: one.name }));
  at("hypothetical").hidden = !sweep.hypothetical_policy;
  at("hypothetical").textContent = say("banner", { changes: [...changes, ...varied].join(say("and")) });
  at("said").textContent = "";
  const marks = question.axes.map((one, number) => ({
    axis: number,
    value: baseValue(one),
    text: say(one.parameter && !question.axes[1] ? "in_force_short" : "this_order"),
  }));
  stop = draw(at("picture"), view, {
    key: at("legend"),
    before,
    marks,
    moved: (where) => tell(view, before, where),
    opened: (column, row) => open(view, column, row, policy),
  });
  at("words").replaceChildren(words(view, before));
  at("flipped").replaceChildren();
  if (before) tryPolicy(question.regime, policy);
}

/** What a sweep changes of the rules in force, in words. */
function changesOf({ regime: { id }, policy_changes: changes }) {
  const { parameters, rules: titles } = known.regimes[id];
  return changes.map((change) =>
    change.parameter
      ? say("set_to", { name: parameters[change.parameter].label, value: told(parameters[change.parameter], change.to) })
      : say("left_out", { rule: titles[change.without] }));
}

/** What stands beside the cell under the pointer; keys are also read aloud. */
const tip = element("div", "", "tip");

function tell(view, before, where) {
  tip.remove();
  if (!where) return;
  const cell = view.cell(where.x, where.y);
  const values = view.axes.map((one, number) => `${one.name}${say("colon")}${told(one.def, one.values[number ? where.y : where.x])}`);
  const outcome = pair(view.outcome(cell).label);
  const lines = [why(view, cell)];
  if (before && before.sweep.outcome_of[cell] !== view.sweep.outcome_of[cell]) {
    lines.push(say("was", { outcome: pair(before.outcome(cell).label) }));
  }
  tip.replaceChildren(...values.map((text) => element("p", text)), element("strong", outcome), ...lines.filter(Boolean).map((text) => element("p", text)));
  at("picture").append(tip);
  const [box, mark] = [at("picture").getBoundingClientRect(), where.frame.getBoundingClientRect()];
  const right = mark.right - box.left + 10;
  const left = right + tip.offsetWidth > box.width ? Math.max(0, mark.left - box.left - tip.offsetWidth - 10) : right;
  tip.style.left = `${left}px`;
  tip.style.top = `${Math.max(0, Math.min(box.height - tip.offsetHeight, mark.top - box.top))}px`;
  if (where.byKey) at("said").textContent = [...values, outcome, ...lines.filter(Boolean)].join(say("and"));
}

/** Open a cell on the page Decide, behind `#`. */
function open(view, column, row, policy) {
  const { title, ...state } = order;
  const facts = { ...order.facts };
  const parameters = { ...policy.parameters };
  for (const [number, one] of view.axes.entries()) {
    const value = one.values[number ? row : column];
    if (one.parameter) parameters[one.parameter] = value;
    else if (value === null) delete facts[one.fact];
    else facts[one.fact] = value;
  }
  const kept = without(facts, view.axes.filter((one) => one.fact === "item.product" || known.facts[one.fact]?.catalogue));
  for (const one of view.axes) if (one.fact && facts[one.fact] !== undefined) kept[one.fact] = facts[one.fact];
  delete state.regimes;
  delete state.parameters;
  delete state.without;
  const changed = {
    ...(Object.keys(parameters).length ? { parameters } : {}),
    ...(policy.without ? { without: policy.without } : {}),
  };
  location.assign(linkTo("/", { ...state, regime: regime(), facts: kept, ...changed }));
}

async function tryPolicy(id, policy) {
  const turn = asked;
  at("flipped").replaceChildren(element("p", say("trying"), "soft"));
  const answer = await fetch("/what-if/flips", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ regime: id, ...policy }),
  }).catch(() => Response.error());
  if (turn !== asked) return;
  if (!answer.ok) return at("flipped").replaceChildren(element("p", say("failed"), "fault"));
  at("flipped").replaceChildren(document.createRange().createContextualFragment(await answer.text()));
}

async function compareProducts() {
  const turn = ++asked;
  forgive();
  const ids = [...document.querySelectorAll("[name=regimes]:checked")].map((box) => box.value);
  if (!ids.length) return blame(at("which"), say("nothing_chosen"));
  const axes = [{ fact: "item.product", values: Object.keys(known.codes[known.facts["item.product"].codes]) }];
  let policy;
  try {
    policy = changedPolicy([]);
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    return blame(error.field, error.message);
  }
  try {
    const sweeps = await Promise.all(ids.map((id) => {
      const body = { ...envelope(id), axes, ...policyFor(id, policy) };
      return post("/v1/sweep", { ...body, facts: without(body.facts, axes) });
    }));
    if (turn !== asked) return;
    at("answer").classList.remove("stale");
    const views = sweeps.map((sweep, number) => new View(sweep, ids[number]));
    stop();
    stop = () => {};
    at("figure").hidden = true;
    const asChanged = sweeps.map(changesOf);
    at("hypothetical").hidden = !Object.keys(policy).length;
    at("hypothetical").textContent = bannerOf(sweeps, asChanged);
    at("words").replaceChildren();
    at("flipped").replaceChildren();
    at("compared").replaceChildren(products(views, order.facts["item.product"], asChanged));
    at("compared").scrollIntoView({ block: "nearest" });
  } catch (problem) {
    if (problem instanceof Error) throw problem;
    complain(problem);
  }
}

/** What of a changed policy a rule set has: parameters of the same kind, and rules. */
function policyFor(id, { parameters = {}, without = [] }) {
  const [own, here] = [known.regimes[id], rules()];
  const same = (name) => ["kind", "unit"].every((key) => own.parameters[name]?.[key] === here.parameters[name][key]);
  const shared = Object.entries(parameters).filter(([name]) => same(name));
  const left = without.filter((rule) => rule in own.rules);
  return {
    ...(shared.length ? { parameters: Object.fromEntries(shared) } : {}),
    ...(left.length ? { without: left } : {}),
  };
}

/** Which changes were made, and which rule sets have nothing that they could change. */
function bannerOf(sweeps, asChanged) {
  const changes = [...new Set(asChanged.flat())].join(say("and"));
  const kept = sweeps.filter((_, number) => !asChanged[number].length).map((sweep) => pair(sweep.regime.title));
  return [
    changes && say("banner", { changes }),
    kept.length && say("kept", { regimes: kept.join(say("and")) }),
  ].filter(Boolean).join(" ");
}

// --- what is wrong, beside its field ---

function forgive() {
  at("faults").replaceChildren();
  for (const told of document.querySelectorAll("#ask .axis > .fault")) told.hidden = true;
  for (const field of document.querySelectorAll("#ask [aria-invalid]")) field.removeAttribute("aria-invalid");
}

function blame(field, message) {
  field.setAttribute("aria-invalid", "true");
  const box = field.closest(".axis")?.querySelector(".fault");
  if (box) {
    box.textContent = message;
    box.hidden = false;
  } else at("faults").append(element("p", message, "fault"));
  if (field.closest("#policy")) at("policy").open = true;
  field.focus();
}

/** A problem document: each of its faults beside the field that its pointer names. */
function complain(problem) {
  const diagnostics = problem?.diagnostics ?? [];
  // Before there is an order there is no question beside which a fault could stand.
  const faults = at(at("wanted").hidden ? "base" : "faults");
  at("none").hidden = !at("wanted").hidden;
  if (!diagnostics.length) return faults.replaceChildren(element("p", say("failed"), "fault"));
  for (const { pointer = "", message, help, zh } of diagnostics) {
    const text = known.lang === "zh" && zh ? zh : help ? `${message} – ${help}` : message;
    const [, head, name, rest] = pointer.split("/");
    if (head === "axes") blame(part(name === "1" ? "y" : "x", rest ?? "") ?? part(name === "1" ? "y" : "x", "name"), text);
    else {
      const field = [...document.querySelectorAll("[data-pointer]")].find((one) => one.dataset.pointer === `/${head}/${name}`);
      if (field) blame(field, text);
      else {
        const label = head === "facts" ? known.facts[name]?.label : null;
        faults.append(element("p", (label ? label + say("colon") : "") + text, "fault"));
      }
    }
  }
}

// --- beginning ---

at("of").addEventListener("change", () => at("of").value && take(at("of").value));
at("run").addEventListener("change", () => take(at("run").value));
at("start").addEventListener("click", () => take(at("start").dataset.of));
at("regime").addEventListener("change", () => {
  offerRules();
  showBase();
  ask();
});
for (const side of ["x", "y"]) {
  part(side, "name").addEventListener("change", () => {
    offerValues(side);
    if (side === "y") offerCount("x");
  });
  for (const end of ["from", "to"]) part(side, end).addEventListener("change", () => offerCount(side));
  part(side, "count").addEventListener("input", ({ target }) => (target.dataset.chosen = "yes"));
}
at("products").addEventListener("click", compareProducts);
at("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  if (order) ask();
});

const isDraft = () => location.hash.startsWith("#d=");

function begin() {
  const of = new URLSearchParams(location.search).get("of");
  // An order leaves the address at once, so that it is neither bookmarked nor shown by chance.
  if (isDraft()) history.replaceState({ order: readDraft() }, "", location.pathname);
  const draft = history.state?.order;
  if (draft?.facts) {
    at("of").options[0].textContent = say("this_draft");
    at("of").value = "";
    at("variation").hidden = true;
    use({ ...draft, facts: flat(draft.facts) });
  } else if (of) take(of);
  else at("none").hidden = false;
}

// The other language takes the order along.
document.querySelector("a.lang")?.addEventListener("click", ({ currentTarget: link }) => {
  const address = new URL(link.href);
  const of = new URLSearchParams(location.search).get("of");
  if (of) address.searchParams.set("of", of);
  link.href = of || !order ? address.href : linkTo(address.pathname + address.search, order);
});

/** Facts by their whole path, however deep they stand. */
function flat(facts, prefix = "") {
  return Object.entries(facts).reduce((found, [name, value]) => {
    const path = prefix + name;
    const nested = value !== null && typeof value === "object" && !(path in known.facts);
    return nested ? { ...found, ...flat(value, `${path}.`) } : { ...found, [path]: value };
  }, {});
}

for (const name of ["input", "change"]) {
  // What stands there answers another question now.
  at("wanted").addEventListener(name, () => at("answer").classList.add("stale"));
}
addEventListener("hashchange", () => isDraft() && begin());
begin();
