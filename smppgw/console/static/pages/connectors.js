// Connectors and groups: their state, and what a person may do to them.
import { part, send } from "../api.js";
import { ask, badge, h, table } from "../dom.js";
import { age, count, latency, plural, rate, time } from "../format.js";
import { curve } from "../spark.js";
import { limits } from "./limits.js";
import { stateOf } from "./overview.js";

export const needsLive = true;

const WORDS = {
  drain: ["Drain", "It gets no new messages, and keeps its binds for what is under way and for receipts. What waits goes by other members, or waits."],
  stop: ["Stop", "It unbinds once what is under way is answered. Receipts that it would bring come when it is started again."],
};

export function draw(context) {
  const { latest } = context.live;
  return [
    latest.groups.length > 0 && h("section", { "aria-labelledby": "h-groups", "data-key": "groups" },
      h("h2", { id: "h-groups" }, "Groups"), h("div", { class: "cards" }, latest.groups.map((group) => groupCard(context, group)))),
    h("section", { "aria-labelledby": "h-connectors", "data-key": "connectors" },
      h("h2", { id: "h-connectors" }, "Connectors"),
      latest.connectors.length ? h("div", { class: "cards" }, latest.connectors.map((each) => connectorCard(context, each))) : h("p", { class: "empty" }, "The config has no connectors.")),
  ];
}

function groupCard({ act }, group) {
  const kind = !group.up ? "bad" : group.backups_wanted ? "warn" : "ok";
  const due = group.changes_in_seconds;
  return h("article", { class: "panel card", "data-key": group.name, "aria-label": `Group ${group.name}` },
    h("h3", null, group.name, " ", badge(kind, capital(group.state))),
    h("ul", { class: "members" }, group.members.map((member) => h("li", { "data-key": member.connector },
      badge(member.up ? "ok" : member.role === "backup" && !group.backups_wanted ? "off" : "bad", member.connector), " ",
      h("span", { class: "quiet" }, member.role === "backup" ? "backup" : "active", member.weight === 1 ? "" : `, weight ${member.weight}`)))),
    h("p", { class: "note" }, `${count(group.waiting)} waiting, oldest ${age(group.oldest_seconds)}`,
      due === null ? "" : ` · backups are ${group.backups_wanted ? "let go" : "called"} in ${age(due)}`),
    h("div", { class: "buttons" }, group.backups_wanted && h("button", {
      type: "button",
      onclick: () => act(`${group.name}: backups are let go`, () => send("POST", `/v1/admin/groups/${part(group.name)}/hand-back`)),
    }, "Hand back now")));
}

function connectorCard(context, each) {
  const { act, live } = context;
  const path = `/v1/admin/connectors/${part(each.name)}`;
  const hold = (what) => async () => {
    const [word, detail] = WORDS[what];
    if (await ask(`${word} ${each.name}?`, detail, word, { danger: what === "stop" })) {
      await act(`${each.name}: ${what === "stop" ? "stopped" : "draining"}`, () => send("POST", `${path}/${what}`));
    }
  };
  return h("article", { class: "panel card", "data-key": each.name, "aria-label": `Connector ${each.name}` },
    h("h3", null, each.name, " ", stateOf(each), each.limited && badge("warn", "Limited", "other limits than those of the config, for now")),
    h("p", { class: "note" }, [each.kind, ...each.groups.map((name) => `in ${name}`)].join(" · ")),
    h("p", { class: "figure" }, h("b", null, rate(each.rates.submits)), h("span", null, each.rate ? ` /s of ${rate(each.rate)}` : " /s")),
    curve(live, `Submits a second by ${each.name}`, (point) => point.connectors[each.name]),
    h("dl", { class: "facts" },
      fact("Window", `${count(each.window_used)} of ${count(each.window)}`),
      fact("Answers at p50, p99", `${latency(each.latency.p50)}, ${latency(each.latency.p99)}`),
      each.binds_wanted > 0 && fact("Binds", `${each.binds.length} of ${each.binds_wanted}`),
      each.breaker && fact("Breaker", each.breaker),
      fact("Outcomes", Object.entries(each.outcomes).map(([word, n]) => `${count(n)} ${word}`).join(", ") || "none yet"),
      each.last_error && fact("Last error", each.last_error, "whole")),
    each.binds.length > 0 && h("details", null, h("summary", null, plural(each.binds.length, "bind")),
      table(`Binds of ${each.name}`, [
        ["Peer", (bind) => bind.peer], ["Mode", (bind) => bind.mode], ["State", (bind) => bind.state],
        ["Since", (bind) => time(bind.since)], ["Window", (bind) => `${bind.window_used} of ${bind.window}`, { class: "number" }],
      ], each.binds, { key: (bind) => bind.id })),
    limits(context, { name: each.name, path, limited: each.limited, fields: [["rate", "Messages a second, 0: any", each.rate], ["window", "Window", each.settings.window]] }),
    h("div", { class: "buttons" },
      each.held !== "" && h("button", { type: "button", class: "main", "data-key": "start", onclick: () => act(`${each.name}: started`, () => send("POST", `${path}/start`)) }, "Start"),
      each.held === "" && h("button", { type: "button", "data-key": "drain", onclick: hold("drain") }, "Drain"),
      each.held !== "stop" && h("button", { type: "button", "data-key": "stop", onclick: hold("stop") }, "Stop"),
      each.held !== "stop" && each.wanted && h("button", { type: "button", "data-key": "rebind", onclick: () => act(`${each.name}: binding anew`, () => send("POST", `${path}/rebind`)) }, "Rebind")));
}

export const fact = (name, value, kind) => h("div", { class: kind }, h("dt", null, name), h("dd", null, value));

const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);
