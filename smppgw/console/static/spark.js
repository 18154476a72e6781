// Small lines that show how a number came to be what it is.
import { h } from "./dom.js";

const WIDTH = 240;
const HEIGHT = 48;

const SPANS = [[60, "last minute"], [120, "last two minutes"], [300, "last five minutes"], [600, "last ten minutes"]];

/** [seconds, words]: how far back the points go, so that a console that has just begun shows more than a tip. */
export function span(points) {
  const known = points.length ? points.at(-1).at - points[0].at : 0;
  return SPANS.find(([seconds]) => known <= seconds) ?? SPANS.at(-1);
}

/** What `read` makes of each point, drawn; gaps longer than three samples are shown as gaps. */
export function curve(live, what, read, kind = "") {
  const [seconds, words] = span(live.points);
  const points = live.points.map((point) => [point.at, read(point)]);
  return spark(points, { label: `${what}, ${words}`, seconds, now: live.now, every: live.every, kind });
}

function spark(points, { label, seconds, now, every, kind }) {
  const known = points.filter(([, value]) => Number.isFinite(value));
  const end = now || (known.at(-1)?.[0] ?? 0);
  const top = Math.max(1e-9, ...known.map(([, value]) => value));
  const x = (at) => WIDTH - ((end - at) / seconds) * WIDTH;
  const y = (value) => HEIGHT - 2 - (value / top) * (HEIGHT - 6);
  const runs = [];
  let last = -Infinity;
  for (const [at, value] of known) {
    if (x(at) < -2) continue;
    if (at - last > every * 3) runs.push([]);
    runs.at(-1).push([x(at), y(value)]);
    last = at;
  }
  const line = (run) => run.map(([a, b], n) => `${n ? "L" : "M"}${a.toFixed(1)} ${b.toFixed(1)}`).join("");
  const area = (run) => `${line(run)}L${run.at(-1)[0].toFixed(1)} ${HEIGHT}L${run[0][0].toFixed(1)} ${HEIGHT}Z`;
  return h("svg", { class: `spark ${kind}`, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
    h("line", { x1: 0, x2: WIDTH, y1: HEIGHT - 1, y2: HEIGHT - 1, class: "floor" }),
    runs.map((run) => [h("path", { d: area(run), class: "area" }), h("path", { d: line(run), class: "line" })]));
}
