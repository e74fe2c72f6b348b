// A sweep in words and tables: for those who do not see the picture, and for paper.

import { linesOf } from "./whatif-picture.js";
import { element, known, pair, say, told } from "./whatif-values.js";

const MOST = 24;

export function status(outcome) {
  return element("span", pair(outcome.label), `status ${outcome.status}`);
}

/** A table with a heading row; numbers stand at the right. */
export function table(heads, rows, numbers = []) {
  const scroll = element("div", "", "scroll");
  // Where it is wider than the page, keys must reach it to move it.
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "group");
  scroll.setAttribute("aria-label", heads.join(say("and")));
  const made = element("table", "", heads.length > 3 ? "wide" : "");
  const cells = (values, kind) => {
    const row = element("tr");
    for (const [at, value] of values.entries()) {
      const cell = element(at === 0 && kind === "td" ? "th" : kind, "", numbers.includes(at) ? "number" : "");
      if (at === 0 && kind === "td") cell.scope = "row";
      cell.append(value);
      row.append(cell);
    }
    return row;
  };
  const head = element("thead");
  const body = element("tbody");
  head.append(cells(heads, "th"));
  body.append(...rows.map((row) => cells(row, "td")));
  made.append(head, body);
  scroll.append(made);
  return scroll;
}

const count = (n) => n.toLocaleString("en-US");
const rules = (view, numbers) => numbers.map((number) => view.titles[number]).join(say("and")) || say("scope");

/** Why a cell is as it is: texts, the deciding ones alone, each with its rules. */
function reasons(view, cell) {
  const { unmet, unknown } = view.reason(cell);
  // The label of an order outside the scope says all there is to say.
  if (view.outcome(cell).status === "not-applicable") return [];
  // What fails decides; only where nothing fails does a missing fact.
  if (unmet.length) return [["unmet", unmet]];
  return unknown.length ? [["waits", unknown]] : [];
}

/** Why a cell is as it is, in one line that is not too long. */
export function why(view, cell) {
  return reasons(view, cell)
    .map(([text, numbers]) => {
      const first = rules(view, numbers.slice(0, 4));
      const more = { first, more: numbers.length - 4, n: numbers.length };
      return say(text, { rules: numbers.length > 4 ? say("more_rules", more) : first });
    })
    .join(say("and"));
}

/** The same for a cell of a table, where a long list can be opened. */
function whyInTable(view, cell) {
  const box = document.createDocumentFragment();
  for (const [text, numbers] of reasons(view, cell)) {
    if (numbers.length < 4) {
      box.append(element("small", say(text, { rules: rules(view, numbers) })));
      continue;
    }
    const details = element("details");
    const list = element("ul");
    list.append(...numbers.map((number) => element("li", view.titles[number])));
    details.append(element("summary", say(`${text}_many`, { n: numbers.length })), list);
    box.append(details);
  }
  return box;
}

/** Everything below the picture. */
export function words(view, before) {
  const parts = view.axes.length === 1 ? changes(view) : mapLines(view);
  if (view.sweep.flips_complete === false) parts.push(element("p", say("incomplete"), "soft"));
  if (!view.sweep.exact) parts.push(element("p", say("inexact"), "soft"));
  if (view.axes.length === 1 && !view.axes[0].continuous) parts.push(...everyValue(view));
  parts.push(...(before ? policyFlips(view, before) : []), ...counts(view));
  const card = element("section", "", "card");
  card.append(...parts);
  return card;
}

function changes(view) {
  const [axis] = view.axes;
  const { flips, outcomes } = view.sweep;
  const present = [...new Set(view.sweep.outcome_of)];
  const parts = [element("h2", say("h_flips"))];
  if (present.length === 1 && !flips.some((flip) => flip.from !== flip.to)) {
    parts.push(element("p", say("no_flips", { outcome: pair(outcomes[present[0]].label) })));
  }
  const list = element("ol", "", "changes");
  for (const flip of flips.slice(0, MOST)) {
    const text = say(flip.from === flip.to ? "shift" : "flip", {
      x: axis.name,
      below: told(axis.def, flip.below),
      above: told(axis.def, flip.above),
      from: pair(outcomes[flip.from].label),
      to: pair(outcomes[flip.to].label),
      rules: rules(view, flip.rules),
    });
    list.append(element("li", text));
  }
  if (flips.length) parts.push(list);
  if (flips.length > MOST) parts.push(element("p", say("more_flips", { n: count(flips.length - MOST) }), "soft"));
  // Values that are listed change without a place in between: the table of them says it.
  return parts.length > 1 ? parts : [];
}

/** Lines of change on a map, from where to where. */
function mapLines(view) {
  const { outcomes } = view.sweep;
  const lines = linesOf(view);
  // A slanted line is crossed along both axes; once is enough.
  const kind = ({ flip }) => `${[flip.from, flip.to].sort()}:${flip.rules}`;
  const across = new Set(lines.filter(({ axis }) => axis === 0).map(kind));
  const shown = lines.filter((line) => line.axis === 0 || !across.has(kind(line)));
  if (!shown.length) {
    const only = outcomes[view.sweep.outcome_of[0]];
    return view.sweep.outcome_of.some((one) => one !== view.sweep.outcome_of[0])
      ? []
      : [element("h2", say("h_lines")), element("p", say("no_flips", { outcome: pair(only.label) }))];
  }
  const place = ({ axis }, { at, flip }) => {
    const [own, other] = [view.axes[axis], view.axes[1 - axis]];
    return say("place", {
      name: own.name,
      below: told(own.def, flip.below, true),
      above: told(own.def, flip.above, true),
      other: other.name,
      value: told(other.def, other.values[at]),
    });
  };
  shown.sort((a, b) => (a.flip.from === a.flip.to) - (b.flip.from === b.flip.to) || b.points.length - a.points.length);
  const rows = shown.slice(0, MOST).map((line) => {
    const { flip, points } = line;
    const [from, to] = [pair(outcomes[flip.from].label), pair(outcomes[flip.to].label)];
    return [
      say(flip.from === flip.to ? "same" : "from_to", { from, to }),
      rules(view, flip.rules),
      place(line, points[0]),
      points.length > 1 ? place(line, points.at(-1)) : "",
    ];
  });
  const parts = [element("h2", say("h_lines")), table([say("change"), say("rules"), say("first"), say("last")], rows)];
  if (shown.length > MOST) parts.push(element("p", say("more_flips", { n: count(shown.length - MOST) }), "soft"));
  return parts;
}

function everyValue(view) {
  const [axis] = view.axes;
  const rows = axis.values.map((value, cell) => [told(axis.def, value), status(view.outcome(cell)), whyInTable(view, cell)]);
  return [element("h2", say("h_values")), table([axis.name, say("outcome"), say("deciding")], rows)];
}

function counts(view) {
  const { outcomes, rules: all, reasons: why } = view.sweep;
  const found = all.map((_, number) => ({ number, unmet: 0, alone: 0, unknown: 0 }));
  for (const [cell, reason] of view.sweep.reason_of.entries()) {
    const { unmet, unknown, scope } = why[reason];
    // What rules find of an order outside the scope decides nothing.
    if (scope === "unmet") continue;
    for (const rule of unmet) found[rule].unmet++;
    for (const rule of unknown) found[rule].unknown++;
    if (unmet.length === 1 && view.outcome(cell).status === "unmet") found[unmet[0]].alone++;
  }
  const first = outcomes.filter(({ count: n }) => n).map((outcome) => [status(outcome), count(outcome.count)]);
  const second = found
    .filter((rule) => rule.unmet || rule.unknown)
    .sort((a, b) => b.unmet - a.unmet)
    .map((rule) => [view.titles[rule.number], count(rule.unmet), count(rule.alone), count(rule.unknown)]);
  const parts = [element("h2", say("h_counts")), table([say("outcome"), say("cells")], first, [1])];
  if (second.length) {
    parts.push(table([say("rule"), say("stops"), say("alone"), say("waiting")], second, [1, 2, 3]));
    parts.push(element("p", say("counts_note"), "soft"));
  }
  return parts;
}

/** How many cells flip against the rules in force, by direction. */
function policyFlips(view, before) {
  const pairs = new Map();
  for (const [cell, then] of view.sweep.outcome_of.entries()) {
    const was = before.sweep.outcome_of[cell];
    if (was !== then) pairs.set(`${was},${then}`, (pairs.get(`${was},${then}`) ?? 0) + 1);
  }
  const all = [...pairs.values()].reduce((sum, n) => sum + n, 0);
  const parts = [element("h2", say("h_policy"))];
  parts.push(element("p", say(all === 1 ? "flips_one" : "flips_count", { n: count(all), all: count(view.sweep.cells) })));
  const list = element("ul");
  for (const [key, n] of [...pairs].sort(([, a], [, b]) => b - a)) {
    const [from, to] = key.split(",").map((number) => pair(view.sweep.outcomes[number].label));
    list.append(element("li", say(n === 1 ? "becomes_one" : "becomes", { n: count(n), from, to })));
  }
  if (pairs.size) parts.push(list);
  return parts;
}

// --- products under several rule sets ---

/** Products in rows, rule sets in columns: outcome and what decides it; changed rules are named. */
export function products(views, present, changes) {
  const codes = views[0].axes[0].values;
  const { def } = views[0].axes[0];
  const rows = known.catalogue["item.product"];
  const figure = (code, path) => (rows[code]?.[path] ? told(known.facts[path], rows[code][path]) : "–");
  const cell = (view, number) => {
    const box = element("div");
    box.append(status(view.outcome(number)));
    box.append(element("br"), whyInTable(view, number));
    return box;
  };
  const now = codes.indexOf(present);
  const named = (code, number) => {
    const box = element("div");
    const figures = ["item.tpp", "item.dram_bandwidth"].map((path) => figure(code, path)).join(" · ");
    box.append(number === now ? `▶ ${told(def, code)}` : told(def, code), element("br"), element("small", figures));
    return box;
  };
  const lines = codes.map((code, number) => [named(code, number), ...views.map((view) => cell(view, number))]);
  const product = say("product_with", { tpp: say("tpp"), bandwidth: say("bandwidth") });
  const changed = changes.some((made) => made.length);
  const heads = views.map(({ sweep }, number) => {
    const name = pair(sweep.regime.title);
    const policy = changes[number].join(say("and")) || say("in_force_short");
    return changed ? say("headed", { name, policy }) : name;
  });
  const made = table([product, ...heads], lines);
  const card = element("section", "", "card");
  card.append(element("h2", changed ? say("marked", { title: say("h_products") }) : say("h_products")), element("p", say("product_note"), "soft"));
  if (now >= 0) {
    const tick = element("label", "", "tick no-print");
    const box = document.createElement("input");
    box.type = "checkbox";
    tick.append(box, ` ${say("only_differing")}`);
    const bodyRows = [...made.querySelectorAll("tbody tr")];
    box.addEventListener("change", () => {
      for (const [number, row] of bodyRows.entries()) {
        const same = views.every((view) => view.sweep.outcome_of[number] === view.sweep.outcome_of[now]);
        row.hidden = box.checked && same && number !== now;
      }
    });
    card.append(tick);
  }
  card.append(made);
  return card;
}
