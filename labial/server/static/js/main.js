// Which view is shown, by the address: #/ the studio, #/jobs the list, #/jobs/ID one job.
import { api, door } from "./api.js";
import { button, fill, h, toast } from "./dom.js";
import { showHistory } from "./history.js";
import { showJob } from "./job.js";
import { signIn, signOut } from "./signin.js";
import { showStudio } from "./studio.js";
import { loadWords, t } from "./words.js";

const main = document.getElementById("main");
let leaving = new AbortController();

function show(event) {
  leaving.abort();
  leaving = new AbortController();
  const [, place, id] = (location.hash || "#/").split("/");
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  for (const link of document.querySelectorAll("[data-nav]")) {
    if (link.dataset.nav === (place || "studio")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  fill(main);
  scrollTo(0, 0);
  const name = place === "jobs" ? (id ? "title.job" : "title.history") : "title.studio";
  document.title = t(name);
  if (place === "jobs" && id) showJob(main, id, leaving.signal);
  else if (place === "jobs") showHistory(main, leaving.signal);
  else showStudio(main, leaving.signal);
  if (event) main.focus({ preventScroll: true });
}

function theme(asked) {
  const kept = asked ?? localStorage.getItem("labial.theme");
  const dark = kept ? kept === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  if (asked) localStorage.setItem("labial.theme", asked);
  if (kept) document.documentElement.dataset.theme = kept;
  return dark;
}

function account(me) {
  const bar = document.getElementById("account");
  const draw = () => {
    const dark = theme();
    fill(
      bar,
      button(t(dark ? "theme.light" : "theme.dark"), () => { theme(dark ? "light" : "dark"); draw(); bar.firstChild.focus(); }, { sign: dark ? "sun" : "moon", only: true }),
      me?.by === "cookie" && button(t("signout"), signOut, { sign: "door", only: true }),
    );
  };
  draw();
  matchMedia("(prefers-color-scheme: dark)").onchange = draw;
}

async function begin() {
  await loadWords();
  for (const each of document.querySelectorAll("[data-word]")) each.textContent = t(each.dataset.word);
  for (const each of document.querySelectorAll("[data-label]")) each.setAttribute("aria-label", t(each.dataset.label));
  account(null);
  // The address is the view: a jump inside of it must not change it.
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
  let asked = false;
  door.addEventListener("signin", async () => {
    if (asked) return;
    asked = true;
    leaving.abort();
    await signIn(main);
    location.reload();
  });
  addEventListener("hashchange", show);
  addEventListener("unhandledrejection", (event) => {
    const error = event.reason;
    if (error?.name === "AbortError" || error?.status === 401) return event.preventDefault();
    if (error?.code !== undefined) {
      event.preventDefault();
      toast(error.message);
    }
  });
  try {
    account(await api("GET", "/me"));
  } catch (error) {
    if (error.status === 401) return;
  }
  show();
}

begin();
