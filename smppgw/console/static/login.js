// The way in: sends the password, and goes to the console when it is right.
const form = document.getElementById("login");
const wrong = document.getElementById("wrong");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  wrong.textContent = "";
  const field = document.getElementById("password");
  try {
    const answer = await fetch("/login", { method: "POST", headers: { "X-Smppgw-Console": "1" }, body: field.value });
    if (answer.ok) return location.replace("/");
    const problem = await answer.json();
    wrong.textContent = [problem.title, problem.detail].filter(Boolean).join(": ");
  } catch {
    wrong.textContent = "The console does not answer.";
  }
  field.select();
});
