// Everything that is asked of the server; errors are problem details with words for people.

export class ApiError extends Error {
  constructor(status, problem) {
    const errors = (problem.errors ?? []).map((each) => `${each.field}: ${each.wrong}`);
    super([problem.title || `Status ${status}`, problem.detail, ...errors].filter(Boolean).join(". "));
    this.status = status;
    this.problem = problem;
  }
}

async function call(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: method === "GET" ? {} : { "X-Smppgw-Console": "1", "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, { title: "The console does not answer", detail: "is its process still there?" });
  }
  if (answer.status === 401 && path.startsWith("/console/")) location.assign("/login");
  const text = await answer.text();
  let said = null;
  try {
    said = text ? JSON.parse(text) : null;
  } catch {
    said = { title: text.slice(0, 200) };
  }
  if (!answer.ok) throw new ApiError(answer.status, said ?? {});
  return said;
}

export const get = (path, query) => {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== "" && value !== undefined && value !== null);
  return call("GET", given.length ? `${path}?${new URLSearchParams(given)}` : path);
};
export const send = (method, path, body) => call(method, path, body);
export const logout = () => call("POST", "/logout");

/** A name as a part of a path. */
export const part = encodeURIComponent;
