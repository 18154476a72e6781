// The frame around the pages: which one is shown, its data, the keyboard, and the theme.
import { ApiError, get, logout } from "./api.js";
import { badge, fill, h, toast } from "./dom.js";
import { plural, time } from "./format.js";
import * as accounts from "./pages/accounts.js";
import * as aside from "./pages/aside.js";
import * as connectors from "./pages/connectors.js";
import * as messages from "./pages/messages.js";
import * as overview from "./pages/overview.js";
import * as routes from "./pages/routes.js";

const ICONS = {
  overview: "M3 12h4l3 8 4-16 3 8h4",
  connectors: "M4 7h10a4 4 0 0 1 0 8H8a3 3 0 0 0 0 6h12M17 4l3 3-3 3",
  accounts: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4 4-6 8-6s8 2 8 6",
  messages: "M4 5h16v11H10l-4 4v-4H4zM8 10h8",
  aside: "M4 13h4l2 3h4l2-3h4M4 13l3-8h10l3 8v6H4z",
  routes: "M6 21V9M6 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM18 21a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM6 15c0-4 12-2 12-9V3M15 6l3-3 3 3",
};

const PAGES = [
  { id: "overview", title: "Overview", page: overview },
  { id: "connectors", title: "Connectors", page: connectors },
  { id: "accounts", title: "Accounts", page: accounts },
  { id: "messages", title: "Messages", page: messages },
  { id: "aside", title: "Set aside", page: aside },
  { id: "routes", title: "Routes", page: routes },
];

const $ = (id) => document.getElementById(id);

/** What every page may read: the latest state, the points to draw, the clock of the server. */
const live = { latest: null, points: [], now: 0, every: 2, problem: null, capacity: 300 };
const state = { current: PAGES[0], argument: "", data: null, problem: null, ticket: 0 };

// Which page

function parse() {
  const [id, ...rest] = location.hash.replace(/^#\//, "").split("/");
  const found = PAGES.find((each) => each.id === id) ?? PAGES[0];
  let argument = rest.join("/");
  try {
    argument = decodeURIComponent(argument);
  } catch {
    // as it is
  }
  return [found, argument];
}

export function go(id, argument = "") {
  const hash = `#/${id}${argument ? `/${encodeURIComponent(argument)}` : ""}`;
  if (location.hash === hash) open();
  else location.hash = hash;
}

function open({ focus = true } = {}) {
  const [current, argument] = parse();
  const fresh = current !== state.current || argument !== state.argument;
  Object.assign(state, { current, argument });
  if (fresh) Object.assign(state, { data: null, problem: null });
  document.title = `${current.title} · smppgw`;
  $("title").textContent = current.title;
  document.body.dataset.page = current.id;
  if (document.activeElement !== $("q")) $("q").value = current.id === "messages" ? argument : "";
  drawNav();
  if (fresh) fill($("main"));
  draw();
  void load();
  if (focus && fresh) {
    $("title").focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }
}

async function load() {
  const ticket = ++state.ticket;
  const { page } = state.current;
  if (!page.load) return;
  try {
    const data = await page.load(state.argument);
    if (ticket !== state.ticket) return;
    Object.assign(state, { data, problem: null });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (ticket !== state.ticket) return;
    state.problem = error;
  }
  draw();
}

const context = {
  live,
  go,
  get argument() { return state.argument; },
  get data() { return state.data; },
  redraw: () => draw(),
  /** Does something that changes the gateway, says how it went, and looks again. */
  async act(words, doing) {
    try {
      await doing();
      toast(words);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      toast(error.message, "bad");
    }
    await Promise.all([load(), tick()]);
  },
};

function draw() {
  const { page } = state.current;
  const wrong = state.problem && h("p", { class: "problem", role: "alert", "data-key": "problem" }, state.problem.message);
  const waiting = (page.load && !state.data) || (page.needsLive && !live.latest);
  const content = waiting ? !wrong && h("p", { class: "empty" }, "…") : page.draw(context);
  fill($("main"), wrong, content);
}

function drawNav() {
  const aside = live.latest?.overview.set_aside ?? 0;
  fill($("nav"), PAGES.map((each, n) => h("a", {
    href: `#/${each.id}`, "data-key": each.id, title: `${each.title} (${n + 1})`,
    "aria-current": each === state.current ? "page" : undefined,
  },
  h("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, h("path", { d: ICONS[each.id] })),
  h("span", null, each.title),
  each.id === "aside" && aside ? h("b", { class: "count", "aria-label": `${aside} records` }, aside) : "")));
}

// What is so now

async function tick() {
  try {
    const said = await get("/console/recent", { since: live.points.at(-1)?.at ?? 0 });
    live.points.push(...said.points.filter((point) => point.at > (live.points.at(-1)?.at ?? 0)));
    live.points.splice(0, live.points.length - live.capacity);
    Object.assign(live, { now: said.now, every: said.every, problem: said.problem, latest: said.latest ?? live.latest });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    live.problem = { title: error.message };
  }
  drawHealth();
  drawNav();
  if (state.current.page.needsLive) draw();
}

function drawHealth() {
  const lost = $("lost");
  lost.hidden = !live.problem;
  if (live.problem) {
    const last = live.points.at(-1)?.at;
    lost.textContent = `${[live.problem.title, live.problem.detail].filter(Boolean).join(": ")}${last ? `. What you see is of ${time(last)}.` : ""}`;
  }
  document.body.classList.toggle("stale", Boolean(live.problem));
  if (live.problem) return fill($("health"), badge("bad", "No contact"));
  if (!live.latest) return fill($("health"));
  const found = overview.troubles(live.latest);
  const bad = found.some((each) => each.kind === "bad");
  fill($("health"), found.length ? badge(bad ? "bad" : "warn", plural(found.length, "problem")) : badge("ok", "All well"));
}

// Light and dark

const THEMES = ["auto", "light", "dark"];
const remembered = () => {
  try {
    return localStorage.getItem("theme") ?? "auto";
  } catch {
    return "auto";
  }
};

function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // it lasts until the page is closed
  }
  const words = { auto: "As the system", light: "Light", dark: "Dark" }[theme];
  fill($("theme"), h("span", { "aria-hidden": "true" }, { auto: "◐", light: "☀", dark: "☾" }[theme]), h("span", { class: "word" }, ` ${words}`));
  $("theme").setAttribute("aria-label", `Theme: ${words}`);
}

const nextTheme = () => setTheme(THEMES[(THEMES.indexOf(remembered()) + 1) % THEMES.length]);

// The keyboard

const KEYS = [
  ["1 … 6", "a page"], ["/", "find messages"], ["t", "light, dark, or as the system"],
  ["r", "look again now"], ["Esc", "leave the field, or close this"], ["?", "this list"],
];

function showKeys() {
  const dialog = $("dialog");
  fill(dialog, h("h2", { id: "keys" }, "Keyboard"),
    h("dl", { class: "keys" }, KEYS.map(([key, what]) => [h("dt", null, h("kbd", null, key)), h("dd", null, what)])),
    h("div", { class: "buttons" }, h("button", { type: "button", class: "main", autofocus: true, onclick: () => dialog.close() }, "Close")));
  dialog.setAttribute("aria-labelledby", "keys");
  dialog.onclose = null;
  dialog.showModal();
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if ($("dialog").open) return;
  const page = PAGES[Number(event.key) - 1];
  if (page) go(page.id);
  else if (event.key === "/") $("q").select();
  else if (event.key === "t") nextTheme();
  else if (event.key === "r") void Promise.all([load(), tick()]);
  else if (event.key === "?") showKeys();
  else return;
  event.preventDefault();
}

// Begin

async function forever(doing, every) {
  for (;;) {
    if (!document.hidden) await doing();
    await new Promise((done) => setTimeout(done, every()));
  }
}

setTheme(remembered());
$("theme").onclick = nextTheme;
$("help").onclick = showKeys;
get("/console/about").then((about) => { $("logout").hidden = !about.login; }, () => {});
$("logout").onclick = async () => { await logout(); location.assign("/login"); };
$("find").onsubmit = (event) => {
  event.preventDefault();
  go("messages", $("q").value.trim());
};
document.addEventListener("keydown", onKey);
document.addEventListener("visibilitychange", () => { if (!document.hidden) void Promise.all([tick(), load()]); });
window.addEventListener("hashchange", () => open());
open({ focus: false });
void forever(tick, () => live.every * 1000);
void forever(async () => { if (state.current.page.refresh) await load(); }, () => 2500);
