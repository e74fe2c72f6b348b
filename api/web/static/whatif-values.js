// Values as people read and write them. Numbers stay text; a float only ever places something in a picture.

export const known = JSON.parse(document.getElementById("known").textContent);
const texts = JSON.parse(document.getElementById("texts").textContent);
const zh = known.lang === "zh";

/** A text of the page, with its places filled: `say("flip", { below: "75,000" })`. */
export function say(name, values = {}) {
  return texts[name].replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

/** A text that the service gives in both languages. */
export const pair = (both) => both[known.lang];

/** Text that somebody wrote, its invisible signs and those that turn it around made visible. */
export const visible = (text) =>
  text.replace(/[\p{C}\p{Z}]/gu, (sign) =>
    sign === " " ? sign : `\\u${sign.codePointAt(0).toString(16).padStart(4, "0")}`);

export function element(name, text = "", className = "") {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** What can be varied: a fact, or a parameter of a rule set. */
export function definition(regime, axis) {
  if (axis.fact) return known.facts[axis.fact];
  return known.regimes[regime].parameters[axis.parameter];
}

export const isContinuous = (def) => !["boolean", "code", "text"].includes(def.kind);

/** Digits in groups of three: `-1234.50` becomes `-1,234.50`. */
export function grouped(text) {
  const [whole, fraction] = String(text).split(".");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (fraction ? `.${fraction}` : "");
}

/** Move the decimal point of a number that is text. */
function shifted(text, places) {
  const sign = text.startsWith("-") ? "-" : "";
  let [whole, fraction = ""] = text.replace("-", "").split(".");
  fraction = fraction.padEnd(places, "0");
  whole = `${whole}${fraction.slice(0, places)}`.replace(/^0+(?=\d)/, "");
  fraction = fraction.slice(places).replace(/0+$/, "");
  return sign + whole + (fraction ? `.${fraction}` : "");
}

const MONTHS = "January February March April May June July August September October November December".split(" ");

function day(iso, short = false) {
  const [year, month, date] = iso.split("-").map(Number);
  if (zh) return `${year}年${month}月${date}日`;
  return `${date} ${short ? MONTHS[month - 1].slice(0, 3) : MONTHS[month - 1]} ${year}`;
}

/** A value as people read it, with its unit. */
export function told(def, value, short = false) {
  if (value === null || value === undefined) return say("unknown");
  if (def.kind === "boolean") return say(value === true || value === "true" ? "yes" : "no");
  const text = String(value);
  if (def.kind === "code") return known.codes[def.codes][text] ?? text;
  if (def.kind === "date") return day(text, short);
  if (def.kind === "ratio") return zh ? `${shifted(text, 2)}%` : `${shifted(text, 2)} %`;
  if (def.kind === "money") {
    const [whole, cents = ""] = text.split(".");
    const amount = short && !Number(cents) ? grouped(whole) : grouped(`${whole}.${cents.padEnd(2, "0")}`);
    if (short) return amount;
    return zh ? `${amount}美元` : `USD ${amount}`;
  }
  if (def.kind === "text") return visible(text);
  const unit = known.units[def.unit];
  if (!unit || short) return grouped(text);
  if (zh) return grouped(text) + unit[0];
  return `${grouped(text)} ${text === "1" ? unit[0] : unit[1]}`;
}

/** The unit as it stands beside an axis. */
export function unitOf(def) {
  if (def.kind === "money") return zh ? "美元" : "USD";
  if (def.kind === "ratio") return "%";
  return known.units[def.unit]?.[1].trim() ?? "";
}

const TIMES = { 万: 4, 亿: 8 };

/** What somebody typed, as the service reads it: `75,000`, `7.5万`, `25 %`. Null if it is none. */
export function typed(def, written) {
  // Full-width digits and signs are those of a Chinese keyboard.
  let text = written.trim().normalize("NFKC");
  if (def.kind === "date") {
    const found = /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?$/.exec(text);
    return found && `${found[1]}-${found[2].padStart(2, "0")}-${found[3].padStart(2, "0")}`;
  }
  text = text.replace(/^(USD|US\$|\$)\s*|\s*(美元|USD)$/gi, "").replaceAll(",", "").replaceAll(" ", "");
  const found = /^(-?\d+(?:\.\d+)?)([万亿%])?$/.exec(text);
  if (!found) return null;
  const [, digits, sign] = found;
  if (sign === "%") return def.kind === "ratio" ? percentage(digits) : null;
  return sign ? shifted(digits, TIMES[sign]) : digits;
}

function percentage(digits) {
  let [whole, fraction = ""] = digits.split(".");
  whole = whole.padStart(3, "0");
  return `${whole.slice(0, -2)}.${whole.slice(-2)}${fraction}`.replace(/^0+(?=\d)/, "").replace(/\.?0+$/, "");
}

/** Where a value lies on an axis of numbers or dates. */
export function position(def, value) {
  return def.kind === "date" ? Date.parse(value) / 864e5 : Number(value);
}

/** A place on an axis as a short text; nothing between two values of the type. */
export function tick(def, place) {
  if (def.kind === "date") {
    return Number.isInteger(place) ? day(new Date(place * 864e5).toISOString().slice(0, 10), true) : "";
  }
  if (def.kind === "ratio") return String(Number((place * 100).toFixed(6)));
  if (def.kind === "integer" && !Number.isInteger(place)) return "";
  return grouped(String(Number(place.toFixed(def.scale ?? 0))));
}
