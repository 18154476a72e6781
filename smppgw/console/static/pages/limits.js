// Limits of an account or a connector, changed for now: until the next reload or restart of the gateway.
import { send } from "../api.js";
import { h } from "../dom.js";

/** `fields` are [name in the API, label, value in force]; what is left empty stays as it is. */
export function limits({ act }, { name, path, limited, fields }) {
  const onsubmit = (event) => {
    event.preventDefault();
    const form = event.target;
    const given = Object.fromEntries(fields.map(([key]) => [key, form[key].value]).filter(([, value]) => value !== "").map(([key, value]) => [key, Number(value)]));
    if (!Object.keys(given).length) return;
    form.reset();
    void act(`${name}: other limits for now`, () => send("PATCH", `${path}/limits`, given));
  };
  return h("details", { "data-key": "limits" }, h("summary", null, "Limits for now"),
    h("form", { class: "line filters", onsubmit }, fields.map(([key, label, value]) => {
      const id = `${key}-of-${name}`;
      return h("div", null, h("label", { for: id }, label), h("input", { id, name: key, type: "number", min: 0, step: "any", inputmode: "decimal", placeholder: value }));
    }),
    h("button", { type: "submit" }, "Apply"),
    limited && h("button", { type: "button", "data-key": "unlimit", onclick: () => act(`${name}: limits as configured`, () => send("DELETE", `${path}/limits`)) }, "As configured")));
}
