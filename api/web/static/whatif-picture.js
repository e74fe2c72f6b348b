// The picture of a sweep: bands along one axis or a map over two, with exact lines of change.
// Bands come from the flips, not from the cells, so that a line lies where the change is.

/* global uPlot */
import { definition, element, isContinuous, pair, position, say, tick, told, unitOf } from "./whatif-values.js";

const STATUSES = ["met", "unmet", "unknown", "not-applicable"];
const SIGNS = { met: "✓", unmet: "✗", unknown: "?", "not-applicable": "–" };
const BAND = 54;
const RULE_BAND = 26;
const LABEL = 18;

/** A sweep made ready to be looked at: axes with places, cells, flips. */
export class View {
  constructor(sweep, regime) {
    this.sweep = sweep;
    this.axes = sweep.axes.map((axis) => {
      const def = definition(regime, axis);
      const continuous = isContinuous(def) && !axis.values.includes(null) && axis.values.length > 1;
      const places = axis.values.map((value, number) => (continuous ? position(def, value) : number));
      const half = (a, b) => (places[a] + places[b]) / 2;
      const edges = places.map((_, n) => (n ? half(n - 1, n) : continuous ? places[0] : -0.5));
      edges.push(continuous ? places.at(-1) : places.length - 0.5);
      return { ...axis, def, continuous, places, edges, name: pair(axis.label) };
    });
    this.width = this.axes[0].values.length;
    this.height = this.axes[1]?.values.length ?? 1;
    this.titles = sweep.rules.map((rule) => pair(rule.title));
    this.flipsAt = [new Map(), new Map()];
    for (const flip of sweep.flips) {
      const lines = this.flipsAt[flip.axis];
      const at = flip.at ?? 0;
      if (!lines.has(at)) lines.set(at, []);
      lines.get(at).push(flip);
    }
    for (const [axis, lines] of this.flipsAt.entries()) {
      for (const line of lines.values()) line.sort((a, b) => this.edge(axis, a) - this.edge(axis, b));
    }
  }

  /** Where between its two values a flip lies. */
  edge(axis, flip) {
    const { def } = this.axes[axis];
    return (position(def, flip.below) + position(def, flip.above)) / 2;
  }

  cell(x, y) {
    return y * this.width + x;
  }

  outcome(cell) {
    return this.sweep.outcomes[this.sweep.outcome_of[cell]];
  }

  reason(cell) {
    return this.sweep.reasons[this.sweep.reason_of[cell]];
  }

  /** The axis along which bands run exactly. */
  get along() {
    if (this.axes[0].continuous || !this.axes[1]) return 0;
    return this.axes[1].continuous ? 1 : 0;
  }

  /** The bands of one line along an axis: from, to and number of the outcome. */
  bands(along, at) {
    const axis = this.axes[along];
    const cellAt = (n) => (along ? this.cell(at, n) : this.cell(n, at));
    const found = [];
    let from = axis.edges[0];
    let outcome = this.sweep.outcome_of[cellAt(0)];
    const next = (to, then) => {
      if (then === outcome) return;
      found.push({ from, to, outcome });
      [from, outcome] = [to, then];
    };
    if (axis.continuous && this.sweep.flips_complete !== false) {
      for (const flip of this.flipsAt[along].get(at) ?? []) next(this.edge(along, flip), flip.to);
    } else {
      for (let n = 1; n < axis.values.length; n++) next(axis.edges[n], this.sweep.outcome_of[cellAt(n)]);
    }
    found.push({ from, to: axis.edges.at(-1), outcome });
    return found;
  }
}

/** Where two sweeps over the same axes differ in outcome, along one line. */
function differing(one, other, along, at) {
  const [a, b] = [one.bands(along, at), other.bands(along, at)];
  const found = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [from, to] = [Math.max(a[i].from, b[j].from), Math.min(a[i].to, b[j].to)];
    if (a[i].outcome !== b[j].outcome && to > from) found.push({ from, to });
    if (a[i].to < b[j].to) i++;
    else j++;
  }
  return found;
}

// --- colours and patterns ---

function palette(box) {
  const style = getComputedStyle(box);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: of("cell-ink"),
    paper: of("cell-paper"),
    soft: of("cell-soft"),
    back: STATUSES.map((status) => of(`cell-${status}`)),
    mark: STATUSES.map((status) => of(`cell-${status}-ink`)),
    font: style.fontFamily,
  };
}

/** The pattern of a status: plain, slanted lines, dots, or level lines. */
function pattern(context, status, colours, ratio) {
  const number = STATUSES.indexOf(status);
  const size = Math.round(8 * ratio);
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const pen = tile.getContext("2d");
  pen.fillStyle = colours.back[number];
  pen.fillRect(0, 0, size, size);
  pen.strokeStyle = pen.fillStyle = colours.mark[number];
  pen.lineWidth = ratio;
  pen.globalAlpha = 0.55;
  pen.beginPath();
  if (status === "unmet") {
    for (const shift of [-size, 0, size]) {
      pen.moveTo(shift - 1, size + 1);
      pen.lineTo(shift + size + 1, -1);
    }
  } else if (status === "not-applicable") {
    pen.moveTo(0, size / 2);
    pen.lineTo(size, size / 2);
  } else if (status === "unknown") {
    pen.arc(size / 2, size / 2, 1.2 * ratio, 0, 7);
    pen.fill();
    pen.beginPath();
  }
  pen.stroke();
  return context.createPattern(tile, "repeat");
}

/** The hatching of what a changed policy flips: slanted the other way, in ink. */
function hatching(context, colours, ratio) {
  const size = Math.round(7 * ratio);
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const pen = tile.getContext("2d");
  pen.strokeStyle = colours.ink;
  pen.lineWidth = 1.4 * ratio;
  pen.beginPath();
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift - 1, -1);
    pen.lineTo(shift + size + 1, size + 1);
  }
  pen.stroke();
  return context.createPattern(tile, "repeat");
}

/** The legend: sign, word and pattern of each outcome that appears. */
function legend(list, box, view, before) {
  const ratio = devicePixelRatio || 1;
  const entry = (word, fill) => {
    const item = element("li");
    const swatch = document.createElement("canvas");
    [swatch.width, swatch.height] = [Math.round(28 * ratio), Math.round(18 * ratio)];
    const context = swatch.getContext("2d");
    fill(context, palette(box));
    item.append(swatch, ` ${word}`);
    return item;
  };
  const filled = (made) => (context, colours) => {
    context.fillStyle = made(context, colours);
    context.fillRect(0, 0, 99, 99);
  };
  const shown = new Set(view.sweep.outcome_of);
  for (const outcome of before?.sweep.outcome_of ?? []) shown.add(outcome);
  const items = view.sweep.outcomes
    .filter((_, number) => shown.has(number))
    .map(({ status, label }) =>
      entry(`${SIGNS[status]} ${pair(label)}`, filled((c, colours) => pattern(c, status, colours, ratio))));
  if (before) items.push(entry(say("flipped"), filled((c, colours) => hatching(c, colours, ratio))));
  list.replaceChildren(...items);
}

// --- drawing ---

/**
 * Draw a view into a box, and its legend into the list `key`. `before` is the same sweep under the
 * rules in force, `marks` are values to point out ({axis, value, text}); `moved` hears of the cell
 * under pointer or cursor, `opened` of one that was chosen. Gives what takes the picture away again.
 */
export function draw(box, view, { key, before, marks, moved, opened }) {
  box.replaceChildren();
  const two = view.axes.length === 2;
  const rows = two ? [] : changingRules(view);
  const shelf = two ? 0 : labelRows(view);
  const size = () => {
    const width = Math.max(280, box.clientWidth);
    const names = view.axes[0].continuous ? 0 : 120;
    const one = shelf * LABEL + 12 + BAND * (before ? 2 : 1) + rows.length * RULE_BAND + 76 + names;
    return { width, height: two ? Math.round(Math.min(620, Math.max(340, width * 0.66))) : one };
  };
  const painter = two ? paintMap : paintBands;
  const lines = two ? linesOf(view) : [];
  let colours = palette(box);
  const chart = new uPlot(
    {
      ...size(),
      legend: { show: false },
      cursor: { drag: { x: false, y: false, setScale: false }, points: { show: false }, y: two },
      padding: [10, 30, 0, two ? 0 : 12],
      scales: {
        x: { time: false, range: () => ends(view.axes[0]) },
        y: { range: () => (two ? ends(view.axes[1]) : [0, 1]) },
      },
      axes: [
        axisOf(view.axes[0], () => colours, true, box.clientWidth),
        two ? axisOf(view.axes[1], () => colours, false, box.clientWidth) : { show: false },
      ],
      series: [{}, { paths: () => null, points: { show: false } }],
      hooks: {
        drawClear: [(u) => {
          colours = palette(box);
          painter.back(u, view, { before, colours, rows, shelf });
        }],
        draw: [(u) => painter.front(u, view, { before, colours, rows, shelf, lines, marks })],
      },
    },
    [ends(view.axes[0]), two ? ends(view.axes[1]) : [0, 1]],
    box,
  );
  const cursor = new Cursor(chart, view, { moved, opened, box });
  const fit = new ResizeObserver(() => {
    const wanted = size();
    if (wanted.width !== chart.width) chart.setSize(wanted);
    cursor.place();
  });
  fit.observe(box);
  const again = () => {
    chart.redraw(false);
    legend(key, box, view, before);
  };
  legend(key, box, view, before);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", again);
  // Paper is white: what is printed is drawn in the light colours.
  const printing = (on) => () => {
    box.classList.toggle("printing", on);
    colours = palette(box);
    again();
  };
  const [begin, end] = [printing(true), printing(false)];
  addEventListener("beforeprint", begin);
  addEventListener("afterprint", end);
  return () => {
    fit.disconnect();
    dark.removeEventListener("change", again);
    removeEventListener("beforeprint", begin);
    removeEventListener("afterprint", end);
    cursor.stop();
    chart.destroy();
  };
}

const ends = (axis) => [axis.edges[0], axis.edges.at(-1)];

function axisOf(axis, colours, across, width) {
  const fits = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
  const names = axis.continuous ? [] : axis.values.map((value) => fits(told(axis.def, value), width < 500 ? 10 : 20));
  const longest = Math.max(3, ...names.map(wide));
  // Names that are long or many stand upright below the axis.
  const upright = across && (7 * longest + 8) * names.length > width - 100;
  const list = {
    splits: (u) => {
      const length = (across ? u.bbox.width : u.bbox.height) / uPlot.pxRatio;
      const step = Math.max(1, Math.ceil((names.length * (across && !upright ? 7 * longest + 8 : 15)) / length));
      return axis.places.filter((_, number) => number % step === 0);
    },
    values: (_, splits) => splits.map((place) => names[place]),
    ...(upright ? { rotate: -90 } : {}),
  };
  const number = {
    values: (_, splits) => splits.map((place) => tick(axis.def, place)),
    space: axis.def.kind === "date" ? 110 : across ? 84 : 36,
    ...(axis.def.kind === "date" || axis.def.kind === "integer" ? { incrs: WHOLE } : {}),
  };
  const room = (_, values) => 16 + 7 * Math.max(3, ...(values ?? []).map((value) => wide(value ?? "")));
  const unit = axis.continuous ? unitOf(axis.def) : "";
  const font = `12px ${colours().font}`;
  return {
    ...(axis.continuous ? number : list),
    label: unit ? say("with_unit", { name: axis.name, unit }) : axis.name,
    labelFont: font,
    font,
    stroke: () => colours().ink,
    labelSize: 22,
    labelGap: 2,
    gap: 4,
    grid: { show: false },
    ticks: { stroke: () => colours().soft, size: 5 },
    size: across && !upright ? 30 : room,
  };
}

const WHOLE = Array.from({ length: 16 }, (_, power) => [1, 2, 5].map((n) => n * 10 ** power)).flat();

/** Width of a text in digits; a Chinese sign takes two. */
const wide = (text) => [...text].reduce((sum, sign) => sum + (sign > "\u2e80" ? 1.8 : 1), 0);

/** Lines of change on a map: points of equal flips in neighbouring rows, joined. */
export function linesOf(view) {
  const found = new Map();
  for (const axis of [0, 1]) {
    for (const [at, flips] of view.flipsAt[axis]) {
      const seen = new Map();
      for (const flip of flips) {
        const kind = `${axis}:${flip.from}>${flip.to}:${flip.rules}`;
        const turn = (seen.get(kind) ?? 0) + 1;
        seen.set(kind, turn);
        const key = `${kind}#${turn}`;
        if (!found.has(key)) found.set(key, { axis, flip, points: [] });
        found.get(key).points.push({ at, place: view.edge(axis, flip), flip });
      }
    }
  }
  const lines = [...found.values()];
  for (const line of lines) line.points.sort((a, b) => a.at - b.at);
  return lines;
}

const paintMap = {
  back(u, view, { before, colours }) {
    const { ctx } = u;
    const fills = view.sweep.outcomes.map(({ status }) => pattern(ctx, status, colours, uPlot.pxRatio));
    const along = view.along;
    const across = 1 - along;
    const paint = (band, at) => rectangle(u, view, along, across, band, at);
    ctx.save();
    clip(u);
    for (let at = 0; at < view.axes[across].values.length; at++) {
      for (const band of view.bands(along, at)) {
        ctx.fillStyle = fills[band.outcome];
        ctx.fillRect(...paint(band, at));
      }
    }
    if (before) {
      ctx.fillStyle = hatching(ctx, colours, uPlot.pxRatio);
      for (let at = 0; at < view.axes[across].values.length; at++) {
        for (const band of differing(view, before, along, at)) ctx.fillRect(...paint(band, at));
      }
    }
    ctx.restore();
  },
  front(u, view, { before, colours, lines, marks }) {
    const { ctx } = u;
    const ratio = uPlot.pxRatio;
    ctx.save();
    clip(u);
    ctx.lineJoin = "round";
    const named = new Set();
    const taken = [];
    const stroke = (list, from, dash, width) => {
      for (const line of list) {
        ctx.strokeStyle = colours.ink;
        ctx.lineWidth = width * ratio;
        ctx.setLineDash(dash.map((n) => n * ratio));
        ctx.beginPath();
        trace(u, from, line);
        ctx.stroke();
      }
    };
    // Where other rules decide but the outcome stays, the line is faint.
    stroke(lines.filter(({ flip }) => flip.from === flip.to), view, [2, 4], 1);
    if (before) stroke(linesOf(before).filter(({ flip }) => flip.from !== flip.to), before, [7, 5], 1.5);
    const turning = lines.filter(({ flip }) => flip.from !== flip.to);
    stroke(turning, view, [], 2.2);
    for (const mark of marks) point(u, view, mark, marks, colours, taken);
    for (const line of turning.sort((a, b) => b.points.length - a.points.length)) {
      const name = ruleNames(view, line.flip);
      if (named.has(name)) continue;
      const middle = line.points[Math.floor(line.points.length / 2)];
      const [x, y] = at(u, view, line.axis, middle);
      if (label(u, name, x, y, colours, taken)) named.add(name);
    }
    ctx.restore();
    frame(u, colours);
  },
};

/** The rules of a flip by name, as short as a label may be. */
function ruleNames(view, flip) {
  const names = flip.rules.map((rule) => view.titles[rule]);
  if (!names.length) return say("scope");
  const first = names.slice(0, 2).join(say("and"));
  return names.length > 2 ? say("more_rules", { first, more: names.length - 2, n: names.length }) : first;
}

/** The picture point of a flip. */
function at(u, view, axis, { at: other, place }) {
  const second = view.axes[1 - axis].places[other];
  const [x, y] = axis ? [second, place] : [place, second];
  return [u.valToPos(x, "x", true), u.valToPos(y, "y", true)];
}

/** A line through its points, each as wide as its row; it breaks where rows are no neighbours. */
function trace(u, view, { axis, points }) {
  const other = view.axes[1 - axis];
  const edge = (number) => u.valToPos(other.edges[number], axis ? "x" : "y", true);
  const to = (way, [x, y]) => u.ctx[way](x, y);
  for (const [number, point] of points.entries()) {
    const [x, y] = at(u, view, axis, point);
    const side = (row) => (axis ? [edge(row), y] : [x, edge(row)]);
    const joins = (next) => other.continuous && next && Math.abs(next.at - point.at) === 1;
    if (!joins(points[number - 1])) to("moveTo", side(point.at));
    to("lineTo", [x, y]);
    if (!joins(points[number + 1])) to("lineTo", side(point.at + 1));
  }
}

function rectangle(u, view, along, across, band, at) {
  const scale = (axis, place) => Math.round(u.valToPos(place, axis ? "y" : "x", true));
  const [a, b] = [scale(along, band.from), scale(along, band.to)];
  const { edges } = view.axes[across];
  const [c, d] = [scale(across, edges[at]), scale(across, edges[at + 1])];
  const [left, right, top, bottom] = along ? [c, d, b, a] : [a, b, d, c];
  return [left, Math.min(top, bottom), right - left, Math.abs(bottom - top)];
}

function clip(u) {
  const { left, top, width, height } = u.bbox;
  u.ctx.beginPath();
  u.ctx.rect(left, top, width, height);
  u.ctx.clip();
}

function frame(u, colours) {
  const { left, top, width, height } = u.bbox;
  u.ctx.save();
  u.ctx.strokeStyle = colours.soft;
  u.ctx.lineWidth = uPlot.pxRatio;
  u.ctx.strokeRect(left, top, width, height);
  u.ctx.restore();
}

/** A text on a small plate, if there is room that no other has taken. */
function label(u, text, x, y, colours, taken) {
  const { ctx } = u;
  const ratio = uPlot.pxRatio;
  ctx.font = `600 ${12 * ratio}px ${colours.font}`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  const width = ctx.measureText(text).width + 10 * ratio;
  const height = 20 * ratio;
  const { left, top, width: wide, height: high } = u.bbox;
  const box = {
    x: Math.max(left + 4, Math.min(left + wide - width - 4, x - width / 2)),
    y: Math.max(top + 4, Math.min(top + high - height - 4, y - height / 2)),
    width,
    height,
  };
  if (width > wide - 8 || taken.some((other) => overlap(box, other))) return false;
  taken.push(box);
  ctx.fillStyle = colours.paper;
  ctx.strokeStyle = colours.soft;
  ctx.lineWidth = ratio;
  ctx.setLineDash([]);
  ctx.beginPath();
  ctx.roundRect(box.x, box.y, width, height, 4 * ratio);
  ctx.fill();
  ctx.stroke();
  ctx.fillStyle = colours.ink;
  ctx.fillText(text, box.x + 5 * ratio, box.y + height / 2);
  return true;
}

const overlap = (a, b) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** The order itself on the map: a ring where both values lie, else a short line at its axis. */
function point(u, view, mark, marks, colours, taken) {
  const place = markPlace(view, mark);
  if (place === null) return;
  const { ctx } = u;
  const ratio = uPlot.pxRatio;
  const { left, top, width, height } = u.bbox;
  ctx.strokeStyle = colours.ink;
  ctx.lineWidth = 1.5 * ratio;
  ctx.setLineDash([3 * ratio, 3 * ratio]);
  const where = u.valToPos(place, mark.axis ? "y" : "x", true);
  ctx.beginPath();
  if (mark.axis) ctx.rect(left, where, 14 * ratio, 0);
  else ctx.rect(where, top + height - 14 * ratio, 0, 14 * ratio);
  ctx.stroke();
  const other = marks.find((one) => one.axis === 1);
  const second = other && markPlace(view, other);
  if (mark.axis === 0 && other && second !== null) {
    const [x, y] = [where, u.valToPos(second, "y", true)];
    ctx.setLineDash([]);
    ctx.beginPath();
    ctx.fillStyle = colours.paper;
    ctx.arc(x, y, 6 * ratio, 0, 7);
    ctx.fill();
    ctx.stroke();
    ctx.beginPath();
    ctx.fillStyle = colours.ink;
    ctx.arc(x, y, 2.5 * ratio, 0, 7);
    ctx.fill();
    const beside = x > left + width * 0.75 ? -50 : 50;
    label(u, mark.text, x + beside * ratio, y - 16 * ratio, colours, taken);
  }
}

/** Where a marked value lies, if it lies on the axis. */
function markPlace(view, { axis, value }) {
  const on = view.axes[axis];
  if (!on || value === undefined) return null;
  if (!on.continuous) {
    const number = on.values.findIndex((one) => String(one) === String(value));
    return number < 0 ? null : number;
  }
  if (value === null) return null;
  const place = position(on.def, value);
  return place >= on.edges[0] && place <= on.edges.at(-1) ? place : null;
}

// --- one axis ---

/** The rules whose finding is not the same throughout. */
function changingRules(view) {
  const { reasons, reason_of: reasonOf, rules } = view.sweep;
  const used = [...new Set(reasonOf)].map((number) => reasons[number]);
  return rules.map((_, rule) => rule).filter((rule) => {
    const states = new Set(used.map((reason) => state(reason, rule)));
    return states.size > 1;
  });
}

const state = (reason, rule) =>
  reason.unmet.includes(rule) ? "unmet" : reason.unknown.includes(rule) ? "unknown" : null;

/** Rows that the labels of the flips need above the bands. */
const labelRows = (view) => Math.min(4, new Set(view.sweep.flips.map((f) => `${f.below}|${f.above}`)).size);

const paintBands = {
  back(u, view, { before, colours, rows, shelf }) {
    const { ctx } = u;
    const ratio = uPlot.pxRatio;
    const fills = Object.fromEntries(STATUSES.map((s) => [s, pattern(ctx, s, colours, ratio)]));
    const x = (place) => Math.round(u.valToPos(place, "x", true));
    ctx.save();
    clip(u);
    let top = u.bbox.top + shelf * LABEL * ratio;
    const strip = (of) => {
      for (const { from, to, outcome } of of.bands(0, 0)) {
        ctx.fillStyle = fills[of.sweep.outcomes[outcome].status];
        ctx.fillRect(x(from), top, x(to) - x(from), (BAND - 4) * ratio);
      }
    };
    if (before) {
      strip(before);
      top += BAND * ratio;
    }
    strip(view);
    if (before) {
      ctx.fillStyle = hatching(ctx, colours, ratio);
      for (const { from, to } of differing(view, before, 0, 0)) {
        ctx.fillRect(x(from), top, x(to) - x(from), (BAND - 4) * ratio);
      }
    }
    top += BAND * ratio;
    for (const rule of rows) {
      for (const { from, to, status } of ruleBands(view, rule)) {
        if (status !== null) {
          ctx.fillStyle = fills[status];
          ctx.fillRect(x(from), top, x(to) - x(from), (RULE_BAND - 4) * ratio);
        }
      }
      top += RULE_BAND * ratio;
    }
    ctx.restore();
  },
  front(u, view, { before, colours, rows, shelf, marks }) {
    const { ctx } = u;
    const ratio = uPlot.pxRatio;
    const { left, top, width, height } = u.bbox;
    ctx.save();
    const x = (place) => u.valToPos(place, "x", true);
    let base = top + shelf * LABEL * ratio;
    const begun = base;
    ctx.textBaseline = "middle";
    const words = (of, y) => {
      for (const { from, to, outcome } of of.bands(0, 0)) {
        const { status, label: name } = of.sweep.outcomes[outcome];
        plate(ctx, `${SIGNS[status]} ${pair(name)}`, SIGNS[status], x(from), x(to), y, colours);
      }
    };
    if (before) {
      words(before, base + ((BAND - 4) / 2) * ratio);
      caption(ctx, say("in_force_short"), left, base, colours);
      base += BAND * ratio;
    }
    words(view, base + ((BAND - 4) / 2) * ratio);
    if (before) caption(ctx, say("changed_short"), left, base, colours);
    base += BAND * ratio;
    for (const rule of rows) {
      caption(ctx, view.titles[rule], left, base + 3 * ratio, colours);
      base += RULE_BAND * ratio;
    }
    const edges = new Map();
    for (const flip of view.sweep.flips) edges.set(view.edge(0, flip), flip);
    const free = Array(shelf).fill(-Infinity);
    ctx.font = `600 ${12 * ratio}px ${colours.font}`;
    for (const [edge, flip] of [...edges].sort(([a], [b]) => a - b)) {
      const text = `${told(view.axes[0].def, flip.below, true)} | ${told(view.axes[0].def, flip.above, true)}`;
      const half = ctx.measureText(text).width / 2;
      const middle = Math.max(left + half, Math.min(left + width - half, x(edge)));
      const row = free.findIndex((end) => middle - half > end + 8 * ratio);
      line(ctx, x(edge), row < 0 ? begun : top + (row + 1) * LABEL * ratio, base, colours, flip.from === flip.to ? [2, 4] : [], ratio);
      if (row < 0) continue;
      free[row] = middle + half;
      ctx.fillStyle = colours.ink;
      ctx.textAlign = "center";
      ctx.fillText(text, middle, top + (row + 0.5) * LABEL * ratio);
    }
    for (const mark of marks) {
      const place = markPlace(view, mark);
      if (place === null) continue;
      const where = x(place);
      line(ctx, where, begun, top + height, colours, [4, 3], ratio);
      ctx.font = `${12 * ratio}px ${colours.font}`;
      ctx.textAlign = where > left + width / 2 ? "right" : "left";
      ctx.fillText(` ▲ ${mark.text} `.replace(where > left + width / 2 ? /^ | $/ : /^ /, ""), where, top + height - 9 * ratio);
    }
    ctx.restore();
    frame(u, colours);
  },
};

/** Where a rule is not met or awaits a fact: exactly at the flips that name it. */
function ruleBands(view, rule) {
  const { axes: [axis], sweep } = view;
  const states = sweep.reason_of.map((number) => state(sweep.reasons[number], rule));
  const found = [];
  let from = axis.edges[0];
  for (let n = 1; n <= states.length; n++) {
    if (n < states.length && states[n] === states[n - 1]) continue;
    let to = axis.edges[n];
    if (n < states.length && axis.continuous) {
      const exact = (view.flipsAt[0].get(0) ?? []).find((flip) => {
        const edge = view.edge(0, flip);
        return flip.rules.includes(rule) && edge >= axis.places[n - 1] && edge <= axis.places[n];
      });
      if (exact) to = view.edge(0, exact);
    }
    found.push({ from, to, status: states[n - 1] });
    from = to;
  }
  return found;
}

/** The outcome in its band: the whole word, else its sign, else nothing. */
function plate(ctx, text, sign, from, to, y, colours) {
  const ratio = uPlot.pxRatio;
  ctx.font = `600 ${13 * ratio}px ${colours.font}`;
  const room = to - from - 16 * ratio;
  const shown = ctx.measureText(text).width < room ? text : ctx.measureText(sign).width < room ? sign : "";
  if (!shown) return;
  const width = ctx.measureText(shown).width + 12 * ratio;
  const x = (from + to) / 2;
  ctx.fillStyle = colours.paper;
  ctx.beginPath();
  ctx.roundRect(x - width / 2, y - 11 * ratio, width, 22 * ratio, 4 * ratio);
  ctx.fill();
  ctx.fillStyle = colours.ink;
  ctx.textAlign = "center";
  ctx.fillText(shown, x, y);
}

function caption(ctx, text, x, y, colours) {
  const ratio = uPlot.pxRatio;
  ctx.font = `${11 * ratio}px ${colours.font}`;
  ctx.textAlign = "left";
  const width = ctx.measureText(text).width + 8 * ratio;
  ctx.fillStyle = colours.paper;
  ctx.globalAlpha = 0.85;
  ctx.fillRect(x + 2 * ratio, y + 1 * ratio, width, 15 * ratio);
  ctx.globalAlpha = 1;
  ctx.fillStyle = colours.ink;
  ctx.fillText(text, x + 6 * ratio, y + 9 * ratio);
}

function line(ctx, x, from, to, colours, dash, ratio) {
  ctx.strokeStyle = colours.ink;
  ctx.lineWidth = 1.5 * ratio;
  ctx.setLineDash(dash.map((n) => n * ratio));
  ctx.beginPath();
  ctx.moveTo(x, from);
  ctx.lineTo(x, to);
  ctx.stroke();
  ctx.setLineDash([]);
}

// --- pointer and keys ---

/** The cell under pointer or keys: marked, told of, opened. */
class Cursor {
  constructor(chart, view, { moved, opened, box }) {
    Object.assign(this, { chart, view, moved, opened, box, x: 0, y: 0, shown: false });
    this.frame = element("div", "", "cell-frame");
    this.frame.hidden = true;
    chart.over.append(this.frame);
    this.leaving = new AbortController();
    const on = (target, name, act) => target.addEventListener(name, act, { signal: this.leaving.signal });
    on(chart.over, "pointermove", (event) => this.point(event));
    on(chart.over, "pointerleave", () => this.moved(null));
    on(chart.over, "click", (event) => {
      this.point(event);
      this.opened(this.x, this.y);
    });
    on(box, "keydown", (event) => this.key(event));
    on(box, "focus", () => box.matches(":focus-visible") && this.go(this.x, this.y, true));
    on(box, "blur", () => this.moved(null));
  }

  point(event) {
    const { left, top } = this.chart.over.getBoundingClientRect();
    const find = (axis, place) => {
      const { edges } = this.view.axes[axis];
      const number = edges.findIndex((edge, n) => n && place < edge);
      return number < 0 ? edges.length - 2 : number - 1;
    };
    const x = find(0, this.chart.posToVal(event.clientX - left, "x"));
    const y = this.view.axes[1] ? find(1, this.chart.posToVal(event.clientY - top, "y")) : 0;
    this.go(x, y, false);
  }

  key(event) {
    const step = event.shiftKey ? 10 : 1;
    const moves = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, step],
      ArrowDown: [0, -step],
      Home: [-1e6, 0],
      End: [1e6, 0],
    };
    if (event.key === "Enter") this.opened(this.x, this.y);
    else if (moves[event.key]) {
      const [x, y] = moves[event.key];
      this.go(this.x + x, this.y + y, true);
    } else return;
    event.preventDefault();
  }

  go(x, y, byKey) {
    this.x = Math.max(0, Math.min(this.view.width - 1, x));
    this.y = Math.max(0, Math.min(this.view.height - 1, y));
    this.shown = true;
    this.place();
    this.moved({ x: this.x, y: this.y, byKey, frame: this.frame });
  }

  place() {
    this.frame.hidden = !this.shown;
    if (!this.shown) return;
    const { axes } = this.view;
    const side = (axis, number, scale) => {
      const { edges } = axes[axis];
      const [a, b] = [edges[number], edges[number + 1]].map((e) => this.chart.valToPos(e, scale));
      return [Math.min(a, b), Math.abs(a - b)];
    };
    const [left, width] = side(0, this.x, "x");
    const [top, height] = axes[1] ? side(1, this.y, "y") : [0, this.chart.over.clientHeight];
    Object.assign(this.frame.style, {
      left: `${left}px`,
      top: `${top}px`,
      width: `${Math.max(3, width)}px`,
      height: `${Math.max(3, height)}px`,
    });
  }

  stop() {
    this.leaving.abort();
  }
}
