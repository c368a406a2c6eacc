import { AuthError, createClient } from "./client/index.js";

const AUTHSVC = "http://127.0.0.1:8000";
const client = createClient({ url: AUTHSVC });
const part = (id) => document.getElementById(id);

function say(text, isBad = false) {
  part("status").textContent = text;
  part("status").classList.toggle("bad", isBad);
}

/** What is on the page follows from who is signed in, whichever tab that happened in. */
function show({ signedIn, user }) {
  part("door").hidden = signedIn !== false;
  part("room").hidden = !signedIn;
  if (signedIn === false) say("Nobody is signed in.");
  if (!user) return;
  part("hello").textContent = `Hello, ${user.name ?? user.email}`;
  part("roles").textContent = user.roles.join(", ");
  attempt("You are signed in.", look);
}

/** Whatever goes wrong is said, and signs nobody out. Answers whether it went well. */
async function attempt(done, work) {
  try {
    await work();
    if (done) say(done);
    return true;
  } catch (error) {
    const isOurs = error instanceof AuthError;
    if (!isOurs && !(error instanceof TypeError)) throw error;
    say(isOurs ? error.message : "The service can't be reached. You stay signed in.", true); // fetch's own TypeError
    return false;
  }
}

async function look() {
  const answer = await client.fetch(`${AUTHSVC}/jwt/refresh`);
  if (!answer.ok) return;
  const { items } = (await answer.json()).data;
  const times = items.find((item) => item.current).generation;
  part("generation").textContent = ["not yet", "once"][times] ?? `${times} times`;
  part("devices").replaceChildren(...items.map(line));
}

function line({ current, deviceName, ip, createdAt }) {
  const made = document.createElement("li");
  made.textContent = `${current ? "here" : (deviceName ?? ip)}, since ${new Date(createdAt).toLocaleString()}`;
  return made;
}

part("door").addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = Object.fromEntries(new FormData(event.target));
  const isNew = event.submitter?.value === "register";
  attempt("", async () => {
    await (isNew ? client.register(fields) : client.login(fields));
    event.target.reset();
  });
});
part("look").addEventListener("click", () => attempt("You are signed in.", look));
part("leave").addEventListener("click", () => attempt("", () => client.logout()));
part("leave-everywhere").addEventListener("click", () => attempt("", () => client.logout({ everywhere: true })));

async function begin() {
  if (!(await attempt("", client.start))) setTimeout(begin, 3000);
}

client.subscribe(show);
begin();
