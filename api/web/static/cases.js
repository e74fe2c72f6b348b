// The pages of cases work without this; it counts choices, sends a form once, and leads to what is wrong.

const compare = document.getElementById("compare");
const choices = [...document.querySelectorAll("#choice input[name=of]")];

function count() {
  const chosen = choices.filter((box) => box.checked).length;
  document.getElementById("chosen").textContent = chosen ? `(${chosen})` : "";
  compare.disabled = chosen < 2;
  for (const box of choices) box.disabled = chosen >= 3 && !box.checked;
}
if (compare) {
  for (const box of choices) box.addEventListener("change", count);
  // A browser may remember what was chosen before.
  window.addEventListener("pageshow", count);
  count();
}

// A second press sends nothing; the key of the form would make it the same event anyway.
for (const form of document.querySelectorAll("form[method=post]:not(#filter)")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

document.getElementById("wrong")?.focus();

// An opened form takes the keys.
for (const event of document.querySelectorAll("details.event")) {
  event.addEventListener("toggle", () => {
    if (event.open && !event.querySelector("#wrong")) event.querySelector("input:not([type=hidden]), select")?.focus();
  });
}

// A picture that does not fit begins with where the case stands.
for (const here of document.querySelectorAll(".chart .here, .timeline .now line")) {
  const view = here.closest(".scroll");
  const [spot, room] = [here.getBoundingClientRect(), view.getBoundingClientRect()];
  view.scrollLeft += spot.left + spot.width / 2 - room.left - view.clientWidth / 2;
  view.scrollTop += spot.top + spot.height / 2 - room.top - view.clientHeight / 2;
}
