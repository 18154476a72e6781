// Dead letters: records that a person must look at, to be replayed or dropped.
import { ApiError, get, part, send } from "../api.js";
import { ask, badge, h, table } from "../dom.js";
import { count, plural, time } from "../format.js";

export const refresh = true;

const KINDS = { message: "Message in doubt", receipt: "Receipt", mo: "From a handset", callback: "Callback", other: "Other" };
const MOST = 300; // records that are looked at together

/** Statuses that a receiver refuses with, in words; what a URL answers with 410 has one of them. */
const STATUSES = { "0x64": "the receiver could not take it", "0x65": "the receiver will never take it" };
const CALLED = { "0x64": "its URL did not answer well", "0x65": "its URL says that it will never take it" };

const why = (row) => row.reason.replace(/\b(?:status (0x6[45])|http 410)\b/, (whole, status = "0x65") => `${whole}: ${(row.kind === "callback" ? CALLED : STATUSES)[status]}`);

let kind = "";
let account = "";

export const load = async () => get("/v1/admin/set-aside", { limit: MOST });

const release = (row) => send("POST", `/v1/admin/set-aside/${part(row.id)}/release`, {});

/** One after the other; what somebody else did meanwhile is no error. */
async function releaseAll(rows) {
  for (const row of rows) {
    try {
      await release(row);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
  }
}

export function draw(context) {
  const { act, data, go, redraw } = context;
  const replay = async (row) => {
    const twice = "It was offered to an upstream whose answer never came: the upstream may have taken it, and then it is sent twice.";
    if (row.kind !== "message" || await ask("Send it again?", twice, "Send again")) await act(`${row.id}: replayed`, () => release(row));
  };
  const drop = async (row) => {
    if (await ask("Drop it for good?", `${KINDS[row.kind] ?? row.kind} ${row.id}: nobody will get it.`, "Drop", { danger: true })) {
      await act(`${row.id}: dropped`, () => send("POST", `/v1/admin/set-aside/${part(row.id)}/drop`, {}));
    }
  };
  if (data.records.length < 2) [kind, account] = ["", ""];
  const rows = data.records.filter((row) => (!kind || row.kind === kind) && (!account || row.account === account));
  // a message in doubt may be sent twice: each of them is asked about
  const safe = rows.filter((row) => row.kind !== "message" && row.kind !== "other");
  const replayAll = async () => {
    if (await ask(`Replay ${plural(safe.length, "record")}?`, "They are delivered again, as if they were new. Messages in doubt are not among them.", "Replay all")) {
      await act(`${plural(safe.length, "record")} replayed`, () => releaseAll(safe));
    }
  };
  const choice = (id, label, all, values, now, set) => h("div", { "data-key": id }, h("label", { for: id }, label),
    h("select", { id, onchange: (event) => { set(event.target.value); redraw(); } },
      h("option", { value: "" }, all), values.map(([value, words]) => h("option", { value, selected: value === now }, words))));
  return [
    h("p", { class: "quiet", "data-key": "told" }, data.total
      ? `${plural(data.total, "record")} that the gateway will not touch by itself${data.records.length < data.total ? `, the oldest ${count(data.records.length)} of them here` : ""}.`
      : "Nothing waits for a person."),
    data.records.length > 1 && h("div", { class: "line filters", "data-key": "filters" },
      choice("a-kind", "Kind", "all kinds", Object.entries(KINDS), kind, (value) => { kind = value; }),
      choice("a-account", "Account", "all accounts", [...new Set(data.records.map((row) => row.account))].sort().map((name) => [name, name]), account, (value) => { account = value; }),
      safe.length > 1 && h("button", { type: "button", class: "main", "data-key": "replay-all", onclick: replayAll }, `Replay all ${count(safe.length)}`)),
    data.records.length > 0 && h("section", { class: "panel", "aria-label": "Set aside", "data-key": "all" }, table("Set aside", [
      ["Since", (row) => time(row.since)],
      ["Kind", (row) => badge(row.kind === "message" ? "warn" : "bad", KINDS[row.kind] ?? row.kind)],
      ["Account", (row) => row.account],
      ["Number", (row) => row.destination ? h("button", { type: "button", class: "as-link", onclick: () => go("messages", row.kind === "mo" ? row.source : row.destination) }, row.kind === "mo" ? row.source : row.destination) : h("button", { type: "button", class: "as-link", onclick: () => go("messages", row.id) }, "timeline")],
      ["Why", (row) => [why(row), row.state ? ` (${row.state})` : "", row.attempts ? h("span", { class: "quiet" }, ` after ${plural(row.attempts, "attempt")}`) : ""], { class: "wrap" }],
      ["", (row) => h("span", { class: "buttons" },
        h("button", { type: "button", "aria-label": `Replay ${row.id}`, onclick: () => replay(row) }, "Replay"),
        h("button", { type: "button", "aria-label": `Drop ${row.id}`, onclick: () => drop(row) }, "Drop")), { label: "Action" }],
    ], rows, { key: (row) => row.id, empty: "None of this kind." })),
  ];
}
