/* Points out the lines of a fact or rule in the picture. */

const picture = document.querySelector(".picture");

/** Light a box, its lines, and the boxes at their other ends; nothing when there is no box. */
function light(box) {
  for (const lit of picture.querySelectorAll(".lit")) lit.classList.remove("lit");
  picture.classList.toggle("pointed", box !== null);
  if (box === null) return;
  const keys = new Set([box.dataset.key]);
  for (const line of picture.querySelectorAll("path")) {
    const ends = [`fact:${line.dataset.fact}`, `rule:${line.dataset.rule}`];
    if (!ends.includes(box.dataset.key)) continue;
    line.classList.add("lit");
    ends.forEach((end) => keys.add(end));
  }
  for (const other of picture.querySelectorAll("[data-key]")) {
    if (keys.has(other.dataset.key)) other.classList.add("lit");
  }
}

if (picture) {
  const boxOf = (event) => event.target.closest("[data-key]");
  picture.addEventListener("pointerover", (event) => light(boxOf(event)));
  picture.addEventListener("pointerleave", () => light(document.activeElement.closest(".picture [data-key]")));
  picture.addEventListener("focusin", (event) => light(boxOf(event)));
  picture.addEventListener("focusout", () => light(null));
}
