// Who speaks: one of those found, everybody, or whoever is heard in the source.
import { file } from "./api.js";
import { announce, fill, h, icon } from "./dom.js";
import { change, draft, watch } from "./draft.js";
import { duration, t } from "./words.js";

/** A choice of people, by their pictures. */
export function people(facts, job, signal) {
  const found = facts.people;
  const one = (value, picture, name, more) => {
    const field = h("input", { type: "radio", name: "speaker", value, onchange: () => change({ speaker: value, previews: {} }) });
    return h("label", { class: "who" }, field, picture, h("b", {}, name), h("span", { class: "soft small" }, more));
  };
  const face = (sign) => h("span", { class: "face" }, icon(sign));
  const rows = found.map((person) => {
    const name = t("people.number", { number: person.person + 1 });
    const picture = job.result.files[`person-${person.person}`]
      ? h("img", { src: file(job.id, `person-${person.person}`), alt: "", loading: "lazy" })
      : face("person");
    const more = person.speaks >= 0.5 ? t("people.speaks", { length: duration(person.speaks) }) : t("people.seen", { length: duration(person.seconds) });
    return one(String(person.person), picture, name, more);
  });
  const list = h("div", { class: "people", role: "radiogroup", "aria-label": t("people.title") });
  fill(list, one("auto", face("spark"), t("people.auto"), t("people.auto.about")), rows, found.length > 1 && one("all", face("people"), t("people.all"), t("people.all.about")));
  const set = () => {
    for (const field of list.querySelectorAll("input")) field.checked = field.value === draft.speaker;
  };
  watch(["speaker"], () => {
    set();
    const number = Number(draft.speaker) + 1;
    announce(number ? t("people.chosen", { number }) : t(`people.${draft.speaker}`));
  }, signal);
  set();
  const hidden = facts.n_people - found.length;
  return h(
    "div",
    { class: "stack" },
    h("p", { class: "soft small" }, t("people.help", { count: found.length }), hidden > 0 ? ` ${t("people.more", { count: hidden })}` : ""),
    list,
  );
}
