// A token opens the door where the server wants to know who asks.
import { api } from "./api.js";
import { fill, h, icon } from "./dom.js";
import { t } from "./words.js";

/** Ask for a token until one is right. */
export function signIn(main) {
  return new Promise((resolve) => {
    const field = h("input", { type: "password", name: "token", autocomplete: "current-password", required: true, spellcheck: false, "aria-describedby": "signin-help signin-wrong" });
    const wrong = h("p", { id: "signin-wrong", role: "alert", class: "small" });
    const form = h(
      "form",
      {
        class: "card", onsubmit: async (event) => {
          event.preventDefault();
          try {
            await api("POST", "/session", undefined, { Authorization: `Bearer ${field.value.trim()}` });
            resolve();
          } catch (error) {
            field.setAttribute("aria-invalid", "true");
            wrong.textContent = error.status === 401 ? t("signin.wrong") : error.message;
            field.select();
          }
        },
      },
      h("h1", {}, t("signin.title")),
      h("label", { class: "field" }, h("span", {}, t("signin.token")), field),
      h("p", { id: "signin-help", class: "soft small" }, t("signin.help")),
      wrong,
      h("button", { class: "main", type: "submit" }, icon("door"), t("signin.go")),
    );
    fill(main, h("div", { class: "signin" }, form));
    field.focus();
  });
}

/** Forget who asks. */
export async function signOut() {
  await api("DELETE", "/session");
  location.reload();
}
