// What was found in a file, in plain words: the worst first, and what to do.
import { h, icon } from "./dom.js";
import { clock, has, t } from "./words.js";

const FIRST = 3;

/** A list of findings; `go(seconds)` shows a moment. */
export function findings(found, go = null) {
  const item = (found) => {
    const { severity, text, where } = found, advice = plain(found);
    const times = go ? (where ?? []).slice(0, 3).map(([from]) => h("button", { type: "button", onclick: () => go(from) }, clock(from, 1))) : [];
    return h(
      "li",
      { class: severity },
      icon(severity),
      h("span", {}, h("span", { class: "unseen" }, `${t(`severity.${severity}`)}: `), capital(text)),
      advice && h("span", { class: "advice" }, capital(advice)),
      times.length > 0 && h("span", { class: "times", role: "group", "aria-label": t("advice.moments") }, ...times),
    );
  };
  const bad = found.filter((each) => each.severity !== "good"), good = found.filter((each) => each.severity === "good");
  const shown = bad.length ? bad.slice(0, FIRST) : good.slice(0, 1);
  const rest = [...bad, ...good].filter((each) => !shown.includes(each));
  return h(
    "div",
    { class: "stack" },
    h("ul", { class: "findings" }, ...shown.map(item)),
    rest.length > 0 && h("details", {}, h("summary", {}, t("advice.more", { count: rest.length })), h("ul", { class: "findings" }, ...rest.map(item))),
  );
}

/** What to do, without a word of the command line. */
function plain({ measure, advice }) {
  const key = `advice.of.${measure.replaceAll(" ", "-")}`;
  return /--\w|\blabial /.test(advice) && has(key) ? t(key) : advice;
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** What the worst finding means for the whole. */
export const verdict = (worst) => h("span", { class: `chip ${worst}` }, icon(worst), t(`verdict.${worst}`));
