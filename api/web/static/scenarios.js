// The page of scenarios: find, choose, run, copy, delete, import. The lists themselves come from the server.

const texts = JSON.parse(document.getElementById("texts").textContent);
const at = (id) => document.getElementById(id);
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

/** What the service answers; one that cannot be reached says nothing, and that it failed. */
const ask = (address, options) => fetch(address, options).catch(() => Response.error());

function element(name, text, className) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

// --- find ---

at("find").addEventListener("input", (event) => {
  if (event.isComposing) return;
  const wanted = event.target.value.trim().toLowerCase();
  for (const entry of document.querySelectorAll(".found")) {
    const heading = entry.closest("section").querySelector("h2").textContent;
    entry.hidden = !`${entry.textContent} ${entry.dataset.id} ${heading}`.toLowerCase().includes(wanted);
  }
  for (const section of document.querySelectorAll("section.stories")) {
    section.hidden = !section.querySelector(".found:not([hidden])");
  }
});

// --- choose two or three ---

const choices = [...document.querySelectorAll("input[name=of]")];

function count() {
  const chosen = choices.filter((box) => box.checked).length;
  at("chosen").textContent = chosen ? `(${chosen})` : "";
  at("compare").disabled = chosen < 2;
  for (const box of choices) box.disabled = chosen >= 3 && !box.checked;
}
for (const box of choices) box.addEventListener("change", count);
// A browser may remember what was chosen before.
window.addEventListener("pageshow", count);
count();

// --- run ---

async function run(whats) {
  const ran = at("ran");
  ran.replaceChildren();
  at("running").hidden = false;
  at("progress").max = whats.length;
  for (const [done, what] of whats.entries()) {
    at("progress").value = done;
    at("progress-said").textContent = fill(texts.progress, { done: done + 1, all: whats.length });
    const answer = await ask(`/scenarios/run?what=${encodeURIComponent(what)}`, { method: "POST" });
    if (answer.ok) {
      const part = document.createRange().createContextualFragment(await answer.text());
      ran.append(part);
    } else ran.append(await told(answer));
  }
  at("running").hidden = true;
  ran.scrollIntoView({ block: "nearest" });
}

/** What the service says is wrong, as a list. */
async function told(answer, name) {
  const box = element("div", "", "card");
  box.append(element("p", name ?? texts.failed, "fault"));
  if (answer.status === 412) box.append(element("p", texts.changed));
  else {
    const problem = await answer.json().catch(() => ({}));
    const list = element("ul");
    for (const one of problem.diagnostics ?? []) {
      const item = element("li");
      // Faults of a request as such (W) stand on no line.
      const line = one.code[0] !== "W" && (one.line > 1 || !one.pointer) ? fill(texts.line, { line: one.line }) : "";
      const place = `${one.pointer ?? ""} ${line}`;
      const [said, help] = texts.lang === "zh" && one.zh ? [one.zh, ""] : [one.message, one.help ?? ""];
      item.append(element("code", one.code), ` ${place} ${said} `, element("span", help, "soft"));
      list.append(item);
    }
    box.append(list);
  }
  return box;
}

at("run-all").addEventListener("click", () => run([...texts.regimes, "drafts"]));
for (const button of document.querySelectorAll("[data-run]")) {
  button.addEventListener("click", () => run([button.dataset.run]));
}

// --- drafts ---

async function duplicate({ id, title }) {
  const found = await ask(`/v1/scenarios/${id}`, { headers: { Accept: "application/json" } });
  if (!found.ok) return at("ran").replaceChildren(await told(found));
  const { scenario } = await found.json();
  const copyOf = (text, lang) => fill(texts.copy[lang], { title: text });
  const { en, zh } = scenario.title ?? {};
  scenario.title = en && zh ? { en: copyOf(en, "en"), zh: copyOf(zh, "zh") } : copyOf(title, texts.lang);
  const made = await ask("/v1/scenarios", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(scenario),
  });
  if (made.ok) location.reload();
  else at("ran").replaceChildren(await told(made));
}

function remove({ id, version, title }) {
  const sure = at("sure");
  sure.querySelector("strong").textContent = title;
  sure.returnValue = "no";
  sure.onclose = async () => {
    if (sure.returnValue !== "yes") return;
    const gone = await ask(`/v1/scenarios/${id}`, {
      method: "DELETE",
      headers: { "If-Match": `"${version}"` },
    });
    if (gone.ok) location.reload();
    else at("ran").replaceChildren(await told(gone));
  };
  sure.showModal();
}

at("choice").addEventListener("click", (event) => {
  const act = event.target.dataset.act;
  if (!act) return;
  const { dataset } = event.target.closest(".found");
  if (act === "run") run([dataset.id]);
  if (act === "duplicate") duplicate(dataset);
  if (act === "delete") remove(dataset);
});

at("import").addEventListener("change", async (event) => {
  const ran = at("ran");
  ran.replaceChildren();
  let some = false;
  for (const file of event.target.files) {
    const kind = /\.json$/i.test(file.name) ? "application/json" : "application/yaml";
    const made = await ask("/v1/scenarios", {
      method: "POST",
      headers: { "Content-Type": kind },
      body: await file.arrayBuffer(),
    });
    some ||= made.ok;
    if (made.ok) ran.append(element("p", fill(texts.imported, { name: file.name }), "card"));
    else ran.append(await told(made, fill(texts.refused, { name: file.name })));
  }
  event.target.value = "";
  if (some) {
    const again = element("a", texts.reload, "button");
    again.href = "/scenarios";
    ran.append(again);
  }
});
