// The gateway in one look: what is wrong first, then rates, latencies, queues and links.
import { badge, h, table } from "../dom.js";
import { age, count, latency, plural, rate } from "../format.js";
import { curve as drawn, span } from "../spark.js";

export const needsLive = true;

const LATE = 60; // seconds that a queue may be old before a person should look

/** What a person should know first: {kind, what, to}. */
export function troubles({ overview, connectors, groups }) {
  const found = [];
  for (const reason of overview.reasons) found.push({ kind: "bad", what: reason, to: "connectors" });
  for (const each of connectors) {
    if (each.alert) found.push({ kind: "bad", what: `${each.name} needs a person: ${each.last_error || "it does not bind"}`, to: "connectors" });
    else if (each.held) found.push({ kind: "warn", what: `${each.name} is held: ${each.held === "stop" ? "stopped" : "drained"} by a person`, to: "connectors" });
    else if (each.wanted && !each.up) found.push({ kind: "warn", what: `${each.name} is down${each.last_error ? `: ${each.last_error}` : ""}`, to: "connectors" });
  }
  for (const each of groups) {
    if (!each.up) found.push({ kind: "bad", what: `group ${each.name} is down`, to: "connectors" });
    else if (each.backups_wanted) found.push({ kind: "warn", what: `group ${each.name}: ${each.state}`, to: "connectors" });
  }
  for (const each of overview.queues) {
    if (each.oldest_seconds > LATE) found.push({ kind: "warn", what: `the queue of ${each.target} is ${age(each.oldest_seconds)} old`, to: "connectors" });
  }
  if (overview.oldest_delivery_seconds > LATE) found.push({ kind: "warn", what: `a delivery waits for its account for ${age(overview.oldest_delivery_seconds)}`, to: "accounts" });
  if (overview.set_aside) found.push({ kind: "warn", what: `${plural(overview.set_aside, "record")} set aside for a person`, to: "aside" });
  if (overview.history && (!overview.history.up || overview.history.dropped)) {
    found.push({ kind: "warn", what: overview.history.up ? `history dropped ${plural(overview.history.dropped, "note")}` : "history cannot be written", to: "messages" });
  }
  return found;
}

export function draw({ live }) {
  const { latest, points } = live;
  const { overview, connectors } = latest;
  const curve = (what, read, kind) => drawn(live, what, read, kind);
  const [, words] = span(points);
  const now = (name) => overview.rates[name]?.["5s"];
  const found = troubles(latest);
  return [
    h("section", { class: `panel troubles ${found.length ? "" : "well"}`, "aria-labelledby": "h-now", "data-key": "now" },
      h("h2", { id: "h-now" }, found.length ? "Look at this" : "Nothing needs a person"),
      found.length
        ? h("ul", null, found.map((each) => h("li", null, badge(each.kind, each.kind === "bad" ? "Bad" : "Look"), " ", h("a", { href: `#/${each.to}` }, each.what))))
        : h("p", { class: "quiet" }, `${overview.name} ${overview.version}, up for ${age(overview.uptime_seconds)}, ${plural(overview.bound, "link")} of ESMEs bound.`)),
    h("section", { class: "tiles", "aria-label": "Rates and latencies", "data-key": "tiles" },
      tile("Accepted", rate(now("accepted")), "/s", curve("Messages accepted a second", (point) => point.rates.accepted),
        `${rate(overview.rates.accepted?.["60s"])}/s over a minute · ${rate(now("refused"))}/s refused`),
      tile("Sent upstream", rate(now("sent")), "/s", curve("Messages sent a second", (point) => point.rates.sent),
        `${rate(now("receipts"))}/s receipts · ${count(overview.awaiting_receipt)} to come`),
      tile("Delivered to accounts", rate(now("delivered")), "/s", curve("Deliveries a second", (point) => point.rates.delivered),
        `${count(overview.deliveries)} waiting · oldest ${age(overview.oldest_delivery_seconds)}`),
      tile("Answer time", latency(overview.latency.submit?.p99), "p99", curve("Answer time at p99", (point) => point.p99.submit, "calm"),
        `p50 ${latency(overview.latency.submit?.p50)} · disk ${latency(overview.latency.commit?.p99)} · upstream ${latency(overview.latency.upstream?.p99)}`),
      tile("Queued", count(overview.queued), "", curve("Messages queued", (point) => point.queued, "calm"),
        `oldest ${age(overview.oldest_queued_seconds)} · ${count(overview.delayed)} for later`),
      tile("Set aside", count(overview.set_aside), "", null, overview.set_aside ? h("a", { href: "#/aside" }, "Replay or drop them") : "Nothing waits for a person.", overview.set_aside ? "warn" : "")),
    h("div", { class: "two", "data-key": "two" },
      h("section", { class: "panel", "aria-labelledby": "h-up" }, h("h2", { id: "h-up" }, "Links upstream"),
        table("Links upstream", [
          ["Connector", (row) => h("a", { href: "#/connectors" }, row.name)],
          ["State", (row) => stateOf(row)],
          ["Rate", (row) => [rate(row.rates.submits), "/s"], { class: "number" }],
          [`The ${words}`, (row) => curve(`Submits a second by ${row.name}`, (point) => point.connectors[row.name]), { class: "wide" }],
          ["p99", (row) => latency(row.latency.p99), { class: "number" }],
        ], connectors, { key: (row) => row.name, empty: "The config has no connectors." })),
      h("section", { class: "panel", "aria-labelledby": "h-queues" }, h("h2", { id: "h-queues" }, "Queues"),
        table("Queues", [
          ["To", (row) => row.target],
          ["State", (row) => (row.up ? badge("ok", "Open") : badge("bad", "Down"))],
          ["Waiting", (row) => count(row.waiting), { class: "number" }],
          ["Oldest", (row) => h("span", { class: row.oldest_seconds > LATE ? "late" : "" }, age(row.oldest_seconds)), { class: "number" }],
        ], overview.queues, { key: (row) => row.target, empty: "No routes lead anywhere." }))),
  ];
}

/** A connector's state in a word. */
export function stateOf(row) {
  if (row.held === "stop") return badge("off", "Stopped", "by a person");
  if (row.held === "drain") return badge("warn", "Drained", "by a person: it takes no new messages");
  if (row.alert) return badge("bad", "Alert", row.last_error);
  if (row.up && row.paused) return badge("warn", "Paused", "the upstream asked for it");
  if (row.up) return badge("ok", "Up");
  if (!row.wanted) return badge("off", "Standby", "no group needs it now");
  return badge("bad", "Down", row.last_error);
}

function tile(title, value, unit, curve, note, kind = "") {
  return h("article", { class: `panel tile ${kind}`, "data-key": title },
    h("h3", null, title), h("p", { class: "figure" }, h("b", null, value), unit ? h("span", null, ` ${unit}`) : ""), curve, h("p", { class: "note" }, note));
}
