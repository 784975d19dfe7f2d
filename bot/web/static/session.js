// Sign out, and open the console by its token; both without leaving a trace in the address.
import { headers } from "./post.js";

const told = document.getElementById("told");

async function post(path, body) {
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  const content = await response.json();
  if (!response.ok) throw new Error(content.error);
}

document.getElementById("sign-out")?.addEventListener("click", async () => {
  await post("/sign-out", {}).catch(() => null);
  location.assign("/signed-out");
});

document.getElementById("open-console")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await post("/sign-in/token", { token: new FormData(event.target).get("token") });
    location.reload();
  } catch (error) {
    told.textContent = error.message;
  }
});
