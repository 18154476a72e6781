// Builds elements, and turns an old tree into a new one without losing focus, selection or scrolling.

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = new Set(["svg", "path", "line", "circle", "rect", "title", "polyline", "g"]);

/** h("button", {onclick, class: "main"}, "Save"): texts are always texts, never markup. */
export function h(tag, props, ...children) {
  const element = SHAPES.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  const handlers = {};
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) handlers[name] = element[name] = value;
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.handlers = handlers;
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false || child === "") continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null);

function same(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);
}

function sync(old, fresh) {
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) {
    // what a person opened stays open
    if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
  }
  for (const name of Object.keys(old.handlers ?? {})) if (!fresh.handlers?.[name]) old[name] = null;
  for (const [name, handler] of Object.entries(fresh.handlers ?? {})) old[name] = handler;
  old.handlers = fresh.handlers;
}

/** Makes the children of `parent` what `children` are, keeping every node that is still there. */
export function fill(parent, ...children) {
  morph(parent, h("div", null, ...children));
}

function morph(old, fresh) {
  const keyed = new Map();
  for (const child of old.childNodes) if (keyOf(child) !== null) keyed.set(keyOf(child), child);
  let at = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const key = keyOf(child);
    const known = key === null ? null : keyed.get(key);
    if (known && known !== at && same(known, child)) old.insertBefore(known, at);
    const found = known && same(known, child) ? known : at && key === null && same(at, child) ? at : null;
    if (found === null) {
      old.insertBefore(child, at);
      continue;
    }
    if (found === at) at = at.nextSibling;
    if (found.nodeType === Node.TEXT_NODE) {
      if (found.data !== child.data) found.data = child.data;
      continue;
    }
    sync(found, child);
    const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(found.nodeName);
    if (!typing) morph(found, child);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

/** A table whose rows become cards on a narrow screen: columns are [title, cell of a row, options]. */
export function table(caption, columns, rows, { key, empty = "Nothing.", onrow } = {}) {
  if (!rows.length) return h("p", { class: "empty" }, empty);
  const head = columns.map(([title, , more]) =>
    h("th", { scope: "col", role: "columnheader", class: more?.class }, title || h("span", { class: "hidden" }, more?.label ?? "")));
  const body = rows.map((row) =>
    h("tr", { role: "row", "data-key": key?.(row), class: onrow && "link", onclick: onrow && ((event) => {
      if (!event.target.closest("a, button, input")) onrow(row);
    }) },
    columns.map(([title, cell, more], n) => h(n === 0 ? "th" : "td", {
      role: n === 0 ? "rowheader" : "cell", scope: n === 0 ? "row" : undefined, class: more?.class, "data-label": title,
    }, cell(row)))));
  return h("div", { class: "scroll" }, h("table", { role: "table" },
    h("caption", { class: "hidden" }, caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, head)), h("tbody", { role: "rowgroup" }, body)));
}

/** A state in a word, a colour and a shape. */
export function badge(kind, word, title) {
  const shape = { ok: "●", warn: "▲", bad: "■", off: "○" }[kind] ?? "○";
  return h("span", { class: `badge ${kind}`, title }, h("span", { "aria-hidden": "true" }, shape), " ", word);
}

/** A question with a way out, which has the focus. Resolves to whether it was answered with yes. */
export function ask(question, detail, yes, { danger = false } = {}) {
  const dialog = document.getElementById("dialog");
  return new Promise((resolve) => {
    let answer = false;
    fill(dialog,
      h("h2", { id: "asked" }, question), h("p", null, detail),
      h("div", { class: "buttons" },
        h("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, "Cancel"),
        h("button", { type: "button", class: danger ? "danger" : "main", onclick: () => { answer = true; dialog.close(); } }, yes)));
    dialog.setAttribute("aria-labelledby", "asked");
    dialog.onclose = () => resolve(answer);
    dialog.showModal();
  });
}

/** A word that goes away by itself; a bad one stays longer. */
export function toast(words, kind = "ok") {
  const box = h("div", { class: `toast ${kind}` }, words);
  document.getElementById("toasts").append(box);
  setTimeout(() => box.remove(), kind === "bad" ? 12000 : 5000);
}
