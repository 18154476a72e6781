// Accounts: who is bound, what waits for them, and what they were answered.
import { get, part, send } from "../api.js";
import { ask, badge, h, table } from "../dom.js";
import { age, count, plural, rate, time } from "../format.js";
import { fact } from "./connectors.js";
import { limits } from "./limits.js";

export const refresh = true;

export async function load(name) {
  return name ? { one: await get(`/v1/admin/accounts/${part(name)}`) } : { all: await get("/v1/admin/accounts") };
}

let filter = "";

function state(row) {
  if (row.removed) return badge("off", "Removed", "no longer in the config");
  if (row.http) return badge("ok", "HTTP");
  return row.binds.length ? badge("ok", plural(row.binds.length, "bind")) : badge("off", "Not bound");
}

const waiting = (row) => row.outbox_waiting + row.outbox_delayed + row.outbox_under_way;

export function draw(context) {
  return context.data.one ? one(context, context.data.one) : all(context, context.data.all);
}

function all({ go, redraw }, rows) {
  const shown = rows.filter((row) => row.name.toLowerCase().includes(filter.toLowerCase()));
  return [
    rows.length > 5 && h("p", { class: "line", "data-key": "filter" }, h("label", { for: "filter" }, "Show names with "),
      h("input", { id: "filter", type: "search", value: filter, oninput: (event) => { filter = event.target.value; redraw(); } })),
    h("section", { class: "panel", "aria-label": "Accounts", "data-key": "all" }, table("Accounts", [
      ["Account", (row) => h("a", { href: `#/accounts/${part(row.name)}` }, row.name)],
      ["State", state],
      ["Accepted", (row) => [rate(row.rates.accepted), "/s"], { class: "number" }],
      ["Refused", (row) => [rate(row.rates.refused), "/s"], { class: "number" }],
      ["Delivered", (row) => [rate(row.rates.delivered), "/s"], { class: "number" }],
      ["Queued", (row) => count(row.queued), { class: "number" }],
      ["To deliver", (row) => count(waiting(row)), { class: "number" }],
      ["Oldest", (row) => h("span", { class: row.outbox_oldest_seconds > 60 ? "late" : "" }, age(row.outbox_oldest_seconds)), { class: "number" }],
    ], shown, { key: (row) => row.name, empty: "No account fits.", onrow: (row) => go("accounts", row.name) })),
  ];
}

function one(context, row) {
  const { act } = context;
  const path = `/v1/admin/accounts/${part(row.name)}`;
  const unbind = (link) => async () => {
    const which = link ? `the bind ${link}` : "all binds";
    if (await ask(`Unbind ${which} of ${row.name}?`, "They are asked to unbind, and may bind again at once.", "Unbind", { danger: true })) {
      await act(`${row.name}: unbinding`, () => send("POST", `${path}/unbind`, { link }));
    }
  };
  return [
    h("p", { class: "line", "data-key": "back" }, h("a", { href: "#/accounts" }, "← All accounts")),
    h("section", { class: "panel card", "aria-labelledby": "h-one", "data-key": "one" },
      h("h2", { id: "h-one" }, row.name, " ", state(row), row.limited && badge("warn", "Limited", "other limits than those of the config, for now")),
      h("dl", { class: "facts" },
        fact("Accepted", `${rate(row.rates.accepted)}/s${row.rate ? ` of ${rate(row.rate)}` : ""}`),
        fact("Window", `${count(row.window_used)} of ${count(row.window)}`),
        fact("Queued", `${count(row.queued)} of ${count(row.max_queued)}`),
        fact("To deliver", `${count(row.outbox_waiting)} waiting, ${count(row.outbox_delayed)} for later, ${count(row.outbox_under_way)} under way`),
        fact("Oldest delivery", age(row.outbox_oldest_seconds)),
        fact("Delivered", count(row.delivered)),
        fact("Answers", Object.entries(row.statuses).map(([status, n]) => `${count(n)} ${status.replace(/^0x\w+ /, "")}`).join(", ") || "none yet")),
      !row.removed && limits(context, { name: row.name, path, limited: row.limited, fields: [
        ["rate", "Messages a second, 0: any", row.rate], ["window", "Window of a bind", row.settings.window], ["max_queued", "Queued at most", row.max_queued],
      ] }),
      h("div", { class: "buttons" },
        row.binds.length > 1 && h("button", { type: "button", onclick: unbind("") }, "Unbind all"))),
    h("section", { class: "panel", "aria-labelledby": "h-binds", "data-key": "binds" }, h("h2", { id: "h-binds" }, "Binds"),
      table(`Binds of ${row.name}`, [
        ["Peer", (bind) => bind.id], ["Mode", (bind) => bind.mode], ["State", (bind) => bind.state],
        ["Since", (bind) => time(bind.since)], ["Window", (bind) => `${bind.window_used} of ${bind.window}`, { class: "number" }],
        ["Delivering", (bind) => count(bind.delivering), { class: "number" }],
        ["", (bind) => h("button", { type: "button", "aria-label": `Unbind ${bind.id}`, onclick: unbind(bind.id) }, "Unbind"), { label: "Action" }],
      ], row.binds, { key: (bind) => bind.id, empty: row.http ? "Its messages come over HTTP." : "Nobody is bound." })),
  ];
}
