// Routes: the list, and where a message would go and why, without sending it.
import { ApiError, get, send } from "../api.js";
import { badge, h, table } from "../dom.js";
import { fact } from "./connectors.js";

let trial = null;
let wrong = "";
let asked = { account: "", source: "", destination: "" };

export const load = async () => {
  const [routes, accounts] = await Promise.all([get("/v1/admin/routes"), get("/v1/admin/accounts")]);
  return { ...routes, accounts: accounts.map((each) => each.name) };
};

const conditions = (match) => Object.entries(match).map(([name, value]) => `${name} ${Array.isArray(value) ? value.join(" or ") : typeof value === "object" ? JSON.stringify(value) : value}`).join(", ") || "everything";

export function draw({ data, redraw }) {
  const onsubmit = async (event) => {
    event.preventDefault();
    const form = event.target;
    asked = { account: form.account.value, source: form.source.value.trim(), destination: form.destination.value.trim() };
    try {
      trial = await send("POST", "/v1/admin/routes/try", asked);
      wrong = "";
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      [trial, wrong] = [null, error.message];
    }
    redraw();
  };
  const reasons = new Map((trial?.tried ?? []).map((each) => [each.route, each]));
  return [
    h("section", { class: "panel", "aria-labelledby": "h-try", "data-key": "try" },
      h("h2", { id: "h-try" }, "Where would this go?"),
      h("form", { class: "line filters", onsubmit },
        h("div", null, h("label", { for: "r-account" }, "Account"), h("select", { id: "r-account", name: "account" }, data.accounts.map((name) => h("option", { value: name }, name)))),
        h("div", null, h("label", { for: "r-source" }, "From"), h("input", { id: "r-source", name: "source", autocomplete: "off", placeholder: "any" })),
        h("div", null, h("label", { for: "r-destination" }, "To"), h("input", { id: "r-destination", name: "destination", required: true, autocomplete: "off", inputmode: "tel" })),
        h("button", { type: "submit", class: "main" }, "Try it")),
      h("div", { role: "status", "aria-live": "polite" },
        wrong && h("p", { class: "problem" }, wrong), trial && result(trial))),
    h("section", { class: "panel", "aria-labelledby": "h-routes", "data-key": "routes" }, h("h2", { id: "h-routes" }, "Routes, in their order"),
      table("Routes", [
        ["Route", (row) => row.name],
        ["Matches", (row) => conditions(row.match), { class: "wrap" }],
        ["Leads to", (row) => [row.to, row.fallback.length ? h("span", { class: "quiet" }, `, else ${row.fallback.join(", ")}`) : ""]],
        ["Senders", (row) => row.senders || "–"],
        ...(trial ? [["Here", (row) => {
          const each = reasons.get(row.name);
          return each ? (each.matched ? badge("ok", "It matches") : badge("off", each.why || "No")) : "";
        }, { class: "wrap" }]] : []),
      ], data.routes, { key: (row) => row.name, empty: "There are no routes: every message is refused." })),
    h("section", { class: "panel", "aria-labelledby": "h-mo", "data-key": "mo" }, h("h2", { id: "h-mo" }, "From handsets"),
      table("Routes of messages from handsets", [
        ["Account", (row) => row.account], ["Matches", (row) => conditions(row.match), { class: "wrap" }],
      ], data.mo_routes, { key: (row) => `${row.account} ${JSON.stringify(row.match)}`, empty: "There are none: messages from handsets are refused." })),
  ];
}

function result(found) {
  const by = found.member ? `${found.target}${found.member === found.target ? "" : `, now by ${found.member}`}` : found.target && `${found.target}, which is down: it would wait`;
  return h("div", { class: "result" },
    h("p", null, found.accepted ? badge("ok", "Accepted") : badge("bad", `Refused: ${found.status}`), " ",
      found.route && h("span", null, "route ", h("b", null, found.route)), by && h("span", null, " to ", h("b", null, by)), found.fallback && badge("warn", "Fallback")),
    h("dl", { class: "facts" },
      found.carrier && fact("Carrier of the number", found.carrier),
      found.sender && fact("Sender", `${found.sender.address} of pool ${found.sender.pool}`),
      found.notes.length > 0 && fact("Notes", found.notes.join("; "))));
}
