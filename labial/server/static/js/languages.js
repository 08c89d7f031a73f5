// Languages to choose from, by their names in the reader's own.
import { h } from "./dom.js";
import { language, languageName } from "./words.js";

const COMMON = "ar bg bn ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko lo lt lv mk ml mn mr ms my ne nl no pa pl pt ro ru si sk sl sq sr sv sw ta te th tl tr uk ur uz vi yue zh zu".split(" ");

/** The language that the name of a file says, such as film.es.wav; "" where it says none. */
export function languageIn(name) {
  const code = name.toLowerCase().match(/(?:^|[._-])([a-z]{2,3})\.[a-z0-9]+$/)?.[1];
  return COMMON.includes(code) ? code : "";
}

/** A choice of languages; `codes` where only some can be had. */
export function languages(value, onchange, { codes = COMMON, none = null, ...more } = {}) {
  const named = codes.map((code) => [code, languageName(code)]);
  named.sort((a, b) => a[1].localeCompare(b[1], language));
  const select = h("select", { ...more, onchange: () => onchange(select.value) });
  if (none !== null) select.append(h("option", { value: "" }, none));
  select.append(...named.map(([code, name]) => h("option", { value: code }, name)));
  if (value && !codes.includes(value)) select.append(h("option", { value }, value));
  select.value = value;
  return select;
}
