// The Decide page: what stands beside fields, repairs, drafts, links, paste. The server decides.

import { linkTo, readDraft } from "./draft.js";

const $ = (id) => document.getElementById(id);
const lang = document.documentElement.lang === "zh-Hans" ? "zh" : "en";
const order = () => $("order");
const state = () => JSON.parse($("state").dataset.state);
const words = $("said").dataset;

let fading = 0;

/** Tell something in passing; what is wrong stays until the next answer. */
function say(text, stays = false) {
  clearTimeout(fading);
  $("said").textContent = text;
  if (!stays && text) fading = setTimeout(() => say(""), 8000);
}

// --- what stands beside the fields ---

function besideFields() {
  const beside = JSON.parse($("state").dataset.beside);
  for (const box of document.querySelectorAll("[data-field]")) {
    const told = beside[box.dataset.field] ?? {};
    const part = (selector) => box.querySelector(selector);
    const input = part(".control input, .control select");
    if (input && told.value !== undefined && document.activeElement !== input && input.type !== "date") {
      input.value = told.value;
    }
    const fault = part("[data-fault]");
    if (fault) {
      fault.hidden = !told.fault;
      fault.textContent = told.fault ?? "";
      for (const control of box.querySelectorAll(".control input, select, .three")) {
        if (told.fault) control.setAttribute("aria-invalid", "true");
        else control.removeAttribute("aria-invalid");
      }
    }
    const supplied = part("[data-supplied]");
    if (supplied) {
      supplied.hidden = !told.supplied;
      part("[data-value]").textContent = told.supplied ?? "";
      if (input && input.type === "text") input.placeholder = told.bare ?? "";
    }
    const caution = part("[data-caution]");
    if (caution) {
      caution.hidden = !told.caution;
      caution.textContent = told.caution ?? "";
    }
    const unit = part("[data-unit]");
    if (unit) unit.textContent = told.unit ?? "";
    const computed = part(".computed-text");
    if (computed) computed.textContent = told.text ?? "";
  }
}

function setStale(isStale) {
  $("answer")?.classList.toggle("stale", isStale);
  $("bar")?.classList.toggle("stale", isStale);
}

/** After every answer: fields, the draft that this tab keeps, what is saved. */
function answered() {
  if ($("said").textContent === words.lost) say("");
  besideFields();
  const isFaulty = $("state").dataset.faults !== "0";
  const at = document.activeElement;
  setStale(isFaulty || (at.form === order() && at.type !== "radio" && (at.value ?? "") !== before));
  if (isFaulty) document.querySelector(".right").scrollTop = 0;
  if (!leaving) history.replaceState({ ...history.state, draft: kept() }, "");
  tellSaved();
  if (document.activeElement === document.body && repaired) $("verdict")?.focus({ preventScroll: true });
  repaired = false;
}

/** What saving would store now, written in one way whatever the order of its names. */
function storable(draft = state()) {
  const { regimes, only, ...envelope } = draft;
  return JSON.stringify(envelope, (_, value) =>
    value && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value);
}

/** The version of the draft that is stored, as `storable` writes it; nothing where there is none. */
let stored = "";
let savedAt = "";
const kept = () => ({ state: state(), draft: order().elements.draft.value, version: order().elements.version.value, stored });

let before = "";
let leaving = false;
let repaired = false;

function dirty() {
  $("saved").textContent = words.unsaved;
}

function tellSaved() {
  if (!stored || storable() !== stored) return dirty();
  $("saved").textContent = savedAt ? `${words.saved} ${savedAt}` : words.saved;
}

/** A text as it is shown: direction marks and other invisible characters as their numbers. */
const visible = (text) => text.replace(/[\p{C}\p{Zl}\p{Zp}\p{Zs}]/gu, (one) =>
  one === " " ? one : `\\u${one.codePointAt(0).toString(16).padStart(4, "0")}`);

document.addEventListener("focusin", (event) => {
  before = event.target.value ?? "";
});
document.addEventListener("input", (event) => {
  if (event.target.form === order() && event.target.type !== "radio") setStale(true);
});
document.addEventListener("focusout", (event) => {
  const input = event.target;
  if (input.form !== order()) return;
  // A date that is half typed has no value: it is a fault, not an unknown.
  if (input.validity?.badInput) htmx.trigger(order(), "change");
  else if (input.value === before && !isAsking) {
    besideFields();
    setStale($("state").dataset.faults !== "0");
  }
});
document.addEventListener("change", (event) => {
  if (event.target.form !== order()) return;
  before = event.target.value;
  setStale(true);
  dirty();
}, true);

let isAsking = false;
document.addEventListener("htmx:config:request", (event) => {
  const { request } = event.detail.ctx;
  for (const input of order().querySelectorAll("input[type=date]")) {
    if (input.validity.badInput) request.body?.set?.(input.name, "?");
  }
});
document.addEventListener("htmx:before:request", () => { isAsking = true; });
document.addEventListener("htmx:finally:request", (event) => {
  isAsking = false;
  const status = event.detail.ctx.response?.status;
  if (status && status < 400) answered();
});
document.addEventListener("htmx:before:response", (event) => {
  // A page of errors never takes the place of an answer.
  if (event.detail.ctx.response.status >= 400) {
    event.preventDefault();
    say(words.lost, true);
    setStale(true);
  }
});
document.addEventListener("htmx:error", () => {
  say(words.lost, true);
  setStale(true);
});

// --- from the answer into the form ---

function toField(control) {
  if (!control) return;
  for (let fold = control.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  const radio = control.type === "radio" && control.form.elements[control.name];
  const shown = radio ? [...radio].find((one) => one.checked) ?? control : control;
  shown.scrollIntoView({ block: "center" });
  shown.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-to-field], [data-to-name]");
  if (link) {
    event.preventDefault();
    const named = link.dataset.toName ?? `fact:${link.dataset.toField}`;
    const found = order().elements[named];
    toField(found instanceof RadioNodeList ? found[0] : found);
    return;
  }
  const repair = event.target.closest(".repair");
  if (repair) {
    const input = order().elements[`fact:${repair.dataset.set}`];
    input.value = repair.dataset.to;
    repaired = true;
    say(`${words.set}${repair.dataset.said}`);
    input.dispatchEvent(new Event("change", { bubbles: true }));
    return;
  }
  if (event.target.closest("#bar")) {
    event.preventDefault();
    const target = $("trouble").childElementCount ? $("trouble") : $("answer");
    target.scrollIntoView({ block: "start" });
    $("answer").focus({ preventScroll: true });
  }
});

// --- the whole form anew ---

function reopen(values) {
  return htmx.ajax("POST", "/decide/workspace", { source: document.body, target: "#workspace", swap: "outerHTML settle:0", values });
}

function opened(draft, version, title) {
  order().elements.draft.value = draft;
  order().elements.version.value = version;
  order().elements.title.value = title;
  tellTitle();
}

function tellTitle() {
  $("named").textContent = visible(order().elements.title.value);
}

async function restore() {
  const linked = readDraft();
  if (location.hash.startsWith("#d=")) {
    // The draft leaves the address, so that it is neither bookmarked nor shown by chance.
    history.replaceState(null, "", location.pathname + location.search);
    if (!linked) return say(words.unreadable);
    stored = "";
    await reopen({ state: JSON.stringify(linked) });
  } else if (history.state?.draft) {
    const { state: typed, draft, version, stored: then } = history.state.draft;
    const served = order().elements;
    // Nothing to lose here, and somebody has saved since: theirs is shown, as the server gave it.
    const isBehind = draft && served.draft.value === draft && served.version.value !== version;
    if (isBehind && storable(typed) === then) return showServed();
    stored = then;
    await reopen({ state: JSON.stringify(typed), draft, version });
  } else {
    return showServed();
  }
  tellTitle();
}

/** The page as the server gave it: empty, or with a draft as it is stored. */
function showServed() {
  stored = order().elements.draft.value ? storable() : "";
  answered();
  tellTitle();
}

// The other language, and the pages that go on from here, take the draft along after `#`.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a.lang, #whatif");
  if (!link) return;
  const path = link.id === "whatif" ? "/what-if" : link.getAttribute("href");
  link.href = linkTo(path.split("#")[0], state());
}, true);

for (const id of ["clear", "save-theirs"]) {
  // Both ask for the page as the server has it: what an answer on its way would keep is not wanted.
  $(id).addEventListener("click", () => {
    leaving = true;
    history.replaceState(null, "");
  });
}
for (const form of document.querySelectorAll("form.carry")) {
  form.addEventListener("submit", (event) => {
    if ($("state").dataset.faults !== "0" && form.target) {
      event.preventDefault();
      say(`${$("state").dataset.faults}${words.faulty}`);
      return;
    }
    form.elements.state.value = $("state").dataset.state;
  });
}

// --- copy ---

async function copyOrShow(text) {
  try {
    await navigator.clipboard.writeText(text);
    say(words.copied);
  } catch {
    $("reasons-text").value = text;
    $("reasons-dialog").showModal();
    $("reasons-text").select();
  }
}

$("link").addEventListener("click", () => copyOrShow(linkTo(`${location.origin}/`, state())));
for (const button of document.querySelectorAll("[data-reasons]")) {
  button.addEventListener("click", () => copyOrShow($("state").dataset[button.dataset.reasons]));
}

// --- paste ---

$("paste").addEventListener("click", () => $("paste-dialog").showModal());
$("paste-now").addEventListener("click", async () => {
  const values = { pasted: $("pasted").value };
  $("paste-dialog").close();
  await htmx.ajax("POST", "/decide/workspace", { source: order(), target: "#workspace", swap: "outerHTML settle:0", values });
  $("pasted").value = "";
  document.querySelector(".pasted")?.scrollIntoView({ block: "center" });
});

// --- save ---

$("save").addEventListener("click", () => {
  $("save-title").value = order().elements.title.value;
  $("save-said").textContent = "";
  $("save-conflict").hidden = true;
  $("save-now").hidden = false;
  $("save-copy").hidden = !order().elements.draft.value;
  $("save-dialog").showModal();
});
$("save-now").addEventListener("click", () => save(order().elements.draft.value));
$("save-copy").addEventListener("click", () => save(""));
$("save-as-new").addEventListener("click", () => save(""));
$("save-title").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  save($("save-now").hidden ? "" : order().elements.draft.value);
});

/** What a saved draft has that no field shows: story, expectations, and its title in both languages. */
async function unseen(id, title) {
  const found = id ? await fetch(`/v1/scenarios/${id}`, { headers: { Accept: "application/json" } }) : null;
  if (!found?.ok) return { title };
  const { title: shown, scenario } = await found.json();
  const { story, expect, vary } = scenario;
  if (typeof scenario.title !== "object") return { title, story, expect, vary };
  return { title: title === shown.en ? scenario.title : { en: title, zh: title }, story, expect, vary };
}

async function save(id) {
  const title = $("save-title").value.trim();
  const told = $("save-said");
  if (!title) {
    told.textContent = words.nottitled;
    $("save-title").focus();
    return;
  }
  const { regimes, only, ...envelope } = state();
  const headers = { "Content-Type": "application/json", Accept: "application/json", "Accept-Language": lang };
  if (id) headers["If-Match"] = `"${order().elements.version.value}"`;
  let reply;
  try {
    const more = await unseen(order().elements.draft.value, title);
    const address = id ? `/v1/scenarios/${id}` : "/v1/scenarios";
    reply = await fetch(address, { method: id ? "PUT" : "POST", headers, body: JSON.stringify({ ...envelope, ...more }) });
  } catch {
    told.textContent = words.lost;
    return;
  }
  const answer = await reply.json().catch(() => ({}));
  if (reply.status === 412) {
    told.textContent = words.changed;
    $("save-conflict").hidden = false;
    $("save-now").hidden = $("save-copy").hidden = true;
    $("save-theirs").href = `/?draft=${id}`;
    $("save-as-new").focus();
    return;
  }
  if (reply.status === 403) {
    told.textContent = words.readonly;
    return;
  }
  if (!reply.ok) {
    told.textContent = `${words.failed}${answer.detail ?? reply.status}`;
    return;
  }
  opened(answer.id, String(answer.version), title);
  $("state").dataset.state = JSON.stringify({ ...state(), title });
  stored = storable();
  savedAt = new Date().toLocaleTimeString(lang === "zh" ? "zh-CN" : "en-GB", { hour: "2-digit", minute: "2-digit" });
  history.replaceState({ draft: kept() }, "", `/?draft=${answer.id}`);
  tellSaved();
  $("save-dialog").close();
}

// A link put into the address of this very page loads nothing: the page opens it itself.
addEventListener("hashchange", () => {
  if (location.hash.startsWith("#d=")) restore();
});
// htmx is there before this module runs: both are deferred, htmx stands first.
restore();
