// Numbers and times as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const count = (value) => (value === undefined || value === null ? "–" : value >= 1e6 ? short.format(value) : whole.format(value));

export function rate(value) {
  if (value === undefined || value === null || Number.isNaN(value)) return "–";
  return value >= 10 || value === 0 ? count(Math.round(value)) : value.toFixed(1);
}

/** Seconds of waiting: 0 s, 850 ms, 12 s, 4 min, 2 h, 3 d. */
export function age(seconds) {
  if (seconds === undefined || seconds === null || Number.isNaN(seconds)) return "–";
  if (seconds < 0.0005) return "0 s";
  if (seconds < 1) return `${seconds < 0.01 ? (seconds * 1000).toFixed(1) : Math.round(seconds * 1000)} ms`;
  if (seconds < 90) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

/** Milliseconds of an answer; 0 when nothing was measured. */
export const latency = (milliseconds) => (milliseconds ? age(milliseconds / 1000) : "–");

const two = (value) => String(value).padStart(2, "0");

/** Local time, to the millisecond when asked; the date only when it is not today. */
export function time(epoch, { exact = false, date = "auto" } = {}) {
  if (!epoch) return "–";
  const at = new Date(epoch * 1000);
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  const words = exact ? `${clock}.${String(at.getMilliseconds()).padStart(3, "0")}` : clock;
  const today = at.toDateString() === new Date().toDateString();
  if (date === "never" || (date === "auto" && today)) return words;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${words}`;
}

export const plural = (n, word, many = `${word}s`) => `${count(n)} ${n === 1 ? word : many}`;
