// The draft that pages hand to one another: the envelope of an order, after `#` and nowhere else.

const PREFIX = "#d=";

/** The draft in the address, or null. */
export function readDraft() {
  if (!location.hash.startsWith(PREFIX)) return null;
  try {
    const text = location.hash.slice(PREFIX.length).replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(text), (character) => character.codePointAt(0));
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
}

/** A draft as the part of an address after and including `#`. */
export function writeDraft(state) {
  const bytes = new TextEncoder().encode(JSON.stringify(state));
  const text = btoa(Array.from(bytes, (byte) => String.fromCodePoint(byte)).join(""));
  return PREFIX + text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The address of a page that opens with a draft. */
export function linkTo(path, state) {
  return path + writeDraft(state);
}

// htmx tells the server where the reader is, with what stands after `#`. That stays here.
document.addEventListener("htmx:config:request", (event) => {
  delete event.detail.ctx.request.headers["HX-Current-URL"];
});
