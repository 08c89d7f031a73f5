// All words of the page, by key, in the reader's language where a file of it exists.
import english from "../words/en.js";

let words = english;
export let language = "en";
// With its region, if the reader has one: dates of en-GB are not those of en-US.
let locale = "en";

/** Load the language of `?lang=`, or of the browser. English stands in for what is missing. */
export async function loadWords() {
  const asked = new URLSearchParams(location.search).get("lang");
  const known = english["languages"].split(" ");
  const wanted = [asked, ...navigator.languages].filter(Boolean).map((tag) => tag.toLowerCase().split("-")[0]);
  language = wanted.find((tag) => known.includes(tag)) ?? "en";
  if (language !== "en") {
    const more = await import(`../words/${language}.js`);
    words = { ...english, ...more.default };
  }
  locale = navigator.languages.find((tag) => tag.toLowerCase().split("-")[0] === language) ?? language;
  document.documentElement.lang = language;
  document.documentElement.dir = words["direction"];
}

/** The words of a key, with `{name}` filled in; of `{count}` the form that the number asks for. */
export function t(key, values = {}) {
  let text = words[key];
  if (text === undefined && "count" in values) {
    const form = new Intl.PluralRules(language).select(values.count);
    text = words[`${key}.${form}`] ?? words[`${key}.other`];
  }
  if (text === undefined) throw new Error(`no words for ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? number(values[name]) : values[name]));
}

/** Whether there are words for a key. */
export const has = (key) => key in words;

/** A number as the language writes it. */
export const number = (value, digits = 0) =>
  new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value);

/** A share from 0 to 1. */
export const percent = (share) =>
  new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 }).format(share);

/** How long something takes, roughly. */
export function duration(seconds) {
  if (seconds < 1) return t("time.moment");
  const unit = (value, name) =>
    new Intl.NumberFormat(locale, { style: "unit", unit: name, unitDisplay: "short" }).format(value);
  if (seconds < 90) return unit(Math.round(seconds), "second");
  if (seconds < 90 * 60) return unit(Math.round(seconds / 60), "minute");
  return `${unit(Math.floor(seconds / 3600), "hour")} ${unit(Math.round((seconds % 3600) / 60), "minute")}`;
}

/** A time on a clock: 1:02.5. */
export function clock(seconds, digits = 0) {
  const whole = Math.max(0, seconds || 0);
  const minutes = Math.floor(whole / 60 + 1e-9);
  const rest = Math.max(0, whole - 60 * minutes).toFixed(digits).padStart(digits ? 3 + digits : 2, "0");
  return `${minutes}:${rest}`;
}

/** A size in bytes. */
export function bytes(count) {
  const [value, unit] = count >= 1e9 ? [count / 1e9, "gigabyte"] : count >= 1e6 ? [count / 1e6, "megabyte"] : [count / 1e3, "kilobyte"];
  return new Intl.NumberFormat(locale, { style: "unit", unit, maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
}

/** When something was. */
export const when = (text) =>
  new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(new Date(text));

const names = {};
/** What a language is called, by its code. */
export function languageName(code) {
  names[language] ??= new Intl.DisplayNames([language], { type: "language", fallback: "code" });
  try {
    return names[language].of(code) ?? code;
  } catch {
    return code;
  }
}
