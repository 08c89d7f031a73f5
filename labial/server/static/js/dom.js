// Elements, icons, and what is said to everybody.
import { t } from "./words.js";

const ICONS = new URL("../icons.svg", import.meta.url).href;

/** Make an element: attributes, `onclick`-like listeners, `vars` for CSS, children. */
export function h(tag, given = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "vars") for (const [key, each] of Object.entries(value)) element.style.setProperty(`--${key}`, each);
    else if (name in element && typeof value !== "string") element[name] = value;
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** One of the pictures in icons.svg; words beside it say what it means. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${ICONS}#${name}`);
  svg.append(use);
  return svg;
}

/** A button with words, or with an icon whose words are read aloud and shown as a tip. */
export function button(words, onclick, { kind = "", sign = "", only = false, ...more } = {}) {
  const name = `${kind}${only ? " icon-only plain" : ""}`.trim();
  const given = { type: "button", class: name || null, onclick, ...more };
  if (only) return h("button", { ...given, "aria-label": words, title: words }, icon(sign));
  return h("button", given, sign && icon(sign), h("span", {}, words));
}

/** Say something to those who do not see the page. */
export function announce(words) {
  const live = document.getElementById("live");
  live.textContent = "";
  requestAnimationFrame(() => (live.textContent = words));
}

/** A box with an icon and a text; `kind` is problem, warning, hint or good. */
export function notice(kind, text, ...more) {
  return h("div", { class: `notice ${kind}` }, icon(kind), h("div", {}, h("p", {}, text), ...more));
}

/** Show what went wrong, until it is closed or ten seconds have passed. */
export function toast(text, kind = "problem") {
  const shown = notice(kind, text);
  shown.append(button(t("close"), () => shown.remove(), { sign: "close", only: true }));
  const all = document.getElementById("toasts");
  if ([...all.children].some((each) => each.textContent === shown.textContent)) return;
  all.append(shown);
  setTimeout(() => shown.matches(":hover, :focus-within") || shown.remove(), 12000);
}

/** Replace all children. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

let counter = 0;
/** An id that no other element has. */
export const unique = (name) => `${name}-${++counter}`;
