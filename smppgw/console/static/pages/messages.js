// Messages: found by number or id, each with the timeline of what happened to it.
import { get, part } from "../api.js";
import { badge, h, table } from "../dom.js";
import { age, plural, time } from "../format.js";
import { fact } from "./connectors.js";

export const refresh = true;

let account = "";
let hours = "";
let chosen = "";

/** Sixteen hex digits are our id, other digits a number, anything else an id of an upstream. */
function queryOf(what) {
  const digits = what.replace(/^\+/, "");
  const isNumber = /^\d+$/.test(digits) && what.length !== 16;
  const since = hours ? new Date(Date.now() - Number(hours) * 3600_000).toISOString() : "";
  return { ...(isNumber ? { number: what } : { id: what }), account, since, limit: 50 };
}

export async function load(argument) {
  const what = argument;
  if (!what && !account && !hours) return { found: null };
  const ask = async (query) => (await get("/v1/history/messages", query)).messages;
  let found = await ask(queryOf(what));
  // what looks like a number may be an upstream's id
  if (!found.length && /^\+?\d+$/.test(what)) found = await ask({ ...queryOf(what), number: "", id: what });
  return { found };
}

const STATES = { 1: "ENROUTE", 2: "DELIVERED", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIVERABLE", 6: "ACCEPTED", 7: "UNKNOWN", 8: "REJECTED" };
const stateName = (state) => STATES[state] ?? String(state ?? "");
const BAD = new Set(["EXPIRED", "DELETED", "UNDELIVERABLE", "REJECTED"]);

/** What became of it, as far as its events tell. */
export function outcome(message) {
  let found = badge("warn", "Under way");
  for (const { kind, said } of message.events) {
    if (kind === "refused") found = badge("bad", "Refused");
    if (kind === "doubt") found = badge("warn", "In doubt");
    if (kind === "later") found = badge("warn", "Retrying");
    if (kind === "sent") found = badge("ok", "Sent");
    if (kind === "mo") found = badge("warn", "To deliver");
    if (kind === "receipt" || kind === "ended") {
      const state = stateName(said.state);
      if (state !== "ENROUTE" && state !== "ACCEPTED") found = badge(state === "DELIVERED" ? "ok" : BAD.has(state) ? "bad" : "warn", sentence(state));
    }
    if (kind === "aside") return badge("bad", "Set aside");
    if (kind === "delivered" && message.mo) found = badge("ok", "Delivered");
  }
  return found;
}

const sentence = (word) => word.charAt(0) + word.slice(1).toLowerCase();

const WORDS = {
  accepted: ["ok", "Accepted and on disk", (said) => [said.route && ["routed by", said.route], said.tag && ["tag", said.tag]]],
  refused: ["bad", "Refused", (said) => [["status", statusOf(said)]]],
  sent: ["ok", "Sent upstream", (said) => [["by", said.connector], said.upstream?.length && ["its id", [said.upstream].flat().join(", ")], said.attempts > 1 && ["attempt", said.attempts]]],
  later: ["warn", "Refused for now, to be tried again", (said) => [["status", statusOf(said)], ["attempts", said.attempts]]],
  doubt: ["warn", "In doubt: no answer came", (said) => [["so", { hold: "it is held", unknown: "it counts as unknown", resend: "it is sent again", again: "it is sent again" }[said.action] ?? said.action]]],
  receipt: ["ok", "Receipt from upstream", (said) => [["state", stateName(said.state)], said.err && ["err", said.err], ["by", said.connector]]],
  ended: ["warn", "Ended", (said) => [["state", stateName(said.state)], said.err && ["err", said.err]]],
  delivered: ["ok", "Delivered to the account", (said) => [said.state ? ["receipt of", stateName(said.state)] : "", said.account && ["account", said.account]]],
  postponed: ["warn", "The account could not take it yet", (said) => [["refused", plural(said.attempts ?? 0, "time")]]],
  aside: ["bad", "Set aside for a person", (said) => [["because", said.reason]]],
  mo: ["ok", "Came from a handset", (said) => [["by", said.connector]]],
  decided: ["ok", "A person decided", (said) => [["who", said.by], ["what", said.done]]],
  told: ["ok", "Callback", (said) => [["result", said.result]]],
};

/** The name that the gateway has for it, and its number. */
function statusOf({ status, words }) {
  const number = `0x${Number(status).toString(16).toUpperCase().padStart(2, "0")}`;
  const name = / status=([A-Z_]+)/.exec(words ?? "")?.[1];
  return name ? `${name} (${number})` : number;
}

export function draw(context) {
  const { data, argument, go } = context;
  const found = data.found;
  const pick = (message) => { chosen = chosen === message.id ? "" : message.id; context.redraw(); };
  const open = found?.length === 1 ? found[0].id : chosen;
  return [
    h("form", { class: "panel line filters", "data-key": "filters", onsubmit: (event) => {
      event.preventDefault();
      account = event.target.account.value.trim();
      hours = event.target.hours.value;
      go("messages", event.target.what.value.trim());
    } },
    h("div", null, h("label", { for: "what" }, "Number or id"), h("input", { id: "what", name: "what", value: argument, autocomplete: "off", spellcheck: "false", inputmode: "text", "data-key": `what-${argument}` })),
    h("div", null, h("label", { for: "account" }, "Account"), h("input", { id: "account", name: "account", value: account, autocomplete: "off", placeholder: "any" })),
    h("div", null, h("label", { for: "hours" }, "Within"), h("select", { id: "hours", name: "hours" },
      [["", "any time"], ["1", "an hour"], ["24", "a day"], ["168", "a week"]].map(([value, words]) => h("option", { value, selected: value === hours }, words)))),
    h("button", { type: "submit", class: "main" }, "Find")),
    found === null && h("p", { class: "empty", "data-key": "hint" }, "Find a message by the number it went to or came from, by our id, or by the id that an upstream gave it. ", h("kbd", null, "/"), " leads to the search from anywhere."),
    found && h("section", { class: "panel", "aria-label": "Found", "data-key": "found" },
      h("p", { class: "quiet", role: "status" }, found.length ? `${plural(found.length, "message")}, the newest first${found.length >= 50 ? " (there may be more)" : ""}` : "No message fits."),
      found.length > 0 && table("Messages", [
        ["When", (row) => time(row.born)],
        ["Number", (row) => h("button", { type: "button", class: "as-link", "aria-expanded": String(open === row.id), onclick: () => pick(row) }, row.mo ? row.source : row.destination)],
        ["Way", (row) => (row.mo ? "from handset" : "to handset")],
        ["Account", (row) => row.account],
        ["State", outcome],
        ["Id", (row) => h("code", null, row.id)],
      ], found, { key: (row) => row.id, onrow: pick })),
    found?.filter((message) => message.id === open).map((message) => timeline(message)),
  ];
}

function timeline(message) {
  const begin = message.events[0]?.at ?? message.born;
  return h("section", { class: "panel card", "aria-labelledby": "h-timeline", "data-key": `timeline-${message.id}` },
    h("h2", { id: "h-timeline" }, "Timeline ", outcome(message)),
    h("dl", { class: "facts" },
      fact("Id", h("code", null, message.id)), fact("Account", h("a", { href: `#/accounts/${part(message.account)}` }, message.account)),
      fact("From", message.source || "–"), fact("To", message.destination || "–"),
      fact("Length", `${plural(message.octets, "octet")}, coding ${message.coding}`),
      message.text && fact("Text", message.text)),
    h("ol", { class: "timeline" }, message.events.map((event, n) => {
      const [kind, words, tell] = WORDS[event.kind] ?? ["off", event.kind, (said) => Object.entries(said)];
      const state = stateName(event.said.state);
      const told = tell({ ...event.said, words: event.words }).filter(Boolean).filter(([, value]) => value !== undefined && value !== "");
      return h("li", { class: BAD.has(state) ? "bad" : kind, "data-key": `${n}-${event.kind}` },
        h("time", { datetime: new Date(event.at * 1000).toISOString() }, time(event.at, { exact: true })),
        h("span", { class: "after" }, n ? `+${age(event.at - begin)}` : ""),
        h("strong", null, words),
        h("span", { class: "said" }, told.map(([name, value]) => [h("span", { class: "quiet" }, `${name} `), h("span", { class: "value" }, value), " "])));
    })));
}
