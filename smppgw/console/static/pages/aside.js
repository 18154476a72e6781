// Dead letters: records that a person must look at, to be replayed or dropped.
import { get, part, send } from "../api.js";
import { ask, badge, h, table } from "../dom.js";
import { plural, time } from "../format.js";

export const refresh = true;

const KINDS = { message: "Message in doubt", receipt: "Receipt", mo: "From a handset", callback: "Callback", other: "Other" };

/** Statuses that a receiver refuses with, in words. */
const STATUSES = { "0x64": "the receiver could not take it", "0x65": "the receiver will never take it" };
const CALLED = { "0x64": "its URL did not answer well", "0x65": "its URL says that it will never take it" };

const why = (row) => row.reason.replace(/status (0x6[45])\b/, (whole, status) => `${whole}: ${(row.kind === "callback" ? CALLED : STATUSES)[status]}`);

export const load = async () => get("/v1/admin/set-aside", { limit: 100 });

export function draw(context) {
  const { act, data, go } = context;
  const replay = async (row) => {
    const detail = row.kind === "message"
      ? "It was offered to an upstream whose answer never came: the upstream may have taken it, and then it is sent twice."
      : "It is delivered again, as if it were new.";
    if (row.kind !== "message" || await ask("Send it again?", detail, "Send again")) {
      await act(`${row.id}: replayed`, () => send("POST", `/v1/admin/set-aside/${part(row.id)}/release`, {}));
    }
  };
  const drop = async (row) => {
    if (await ask("Drop it for good?", `${KINDS[row.kind] ?? row.kind} ${row.id}: nobody will get it.`, "Drop", { danger: true })) {
      await act(`${row.id}: dropped`, () => send("POST", `/v1/admin/set-aside/${part(row.id)}/drop`, {}));
    }
  };
  return [
    h("p", { class: "quiet", "data-key": "told" }, data.total
      ? `${plural(data.total, "record")} that the gateway will not touch by itself${data.records.length < data.total ? `, the first ${data.records.length} of them here` : ""}.`
      : "Nothing waits for a person."),
    data.records.length > 0 && h("section", { class: "panel", "aria-label": "Set aside", "data-key": "all" }, table("Set aside", [
      ["Since", (row) => time(row.since)],
      ["Kind", (row) => badge(row.kind === "message" ? "warn" : "bad", KINDS[row.kind] ?? row.kind)],
      ["Account", (row) => row.account],
      ["Number", (row) => row.destination ? h("button", { type: "button", class: "as-link", onclick: () => go("messages", row.kind === "mo" ? row.source : row.destination) }, row.kind === "mo" ? row.source : row.destination) : "–"],
      ["Why", (row) => [why(row), row.state ? ` (${row.state})` : "", row.attempts ? h("span", { class: "quiet" }, ` after ${plural(row.attempts, "attempt")}`) : ""], { class: "wrap" }],
      ["", (row) => h("span", { class: "buttons" },
        h("button", { type: "button", class: "main", "aria-label": `Replay ${row.id}`, onclick: () => replay(row) }, "Replay"),
        h("button", { type: "button", "aria-label": `Drop ${row.id}`, onclick: () => drop(row) }, "Drop")), { label: "Action" }],
    ], data.records, { key: (row) => row.id })),
  ];
}
