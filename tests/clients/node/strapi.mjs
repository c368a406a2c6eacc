// Programs written for Strapi, with the two clients that it has. Reads {url, apiToken, username, email, password, next}
// as JSON; writes what each of their calls came to: its answer, or what it was rejected with.
import { strapi } from "@strapi/client";
import Strapi from "strapi-sdk-js";
import { text } from "node:stream/consumers";

const { url, apiToken, username, email, password, next } = JSON.parse(await text(process.stdin));
const told = {};
const tell = async (name, call) => {
  try {
    told[name] = await call();
  } catch (error) {
    told[name] = { rejected: error instanceof Error ? { name: error.name, status: error.response?.status } : error };
  }
};

// The SDK keeps its token in a browser's storage, and nowhere else.
const kept = new Map();
const localStorage = {
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, value) => kept.set(key, value),
  removeItem: (key) => kept.delete(key),
};
globalThis.window = { localStorage, location: new URL(url) };
const sdk = new Strapi({ url, store: { useLocalStorage: true } });
await tell("register", () => sdk.register({ username, email, password }));
await tell("registerAgain", () => sdk.register({ username, email, password }));
await tell("loginWrong", () => sdk.login({ identifier: username, password: next }));
await tell("login", () => sdk.login({ identifier: email, password }));
await tell("fetchUser", () => sdk.fetchUser());
const changed = { password: next, passwordConfirmation: next };
await tell("changePasswordWrong", () => sdk.changePassword({ currentPassword: "wrong", ...changed }));
await tell("changePassword", () => sdk.changePassword({ currentPassword: password, ...changed }));
await tell("fetchUserAfter", () => sdk.fetchUser());
told.kept = sdk.getToken();
delete globalThis.window;

const script = strapi({ baseURL: `${url}/api/`, auth: apiToken });
await tell("me", () => script.collection("users").findOne("me"));
// Its fetch says text/plain, and sends the API token along.
const body = JSON.stringify({ identifier: username, password: next });
await tell("local", async () => (await script.fetch("/auth/local", { method: "POST", body })).json());
await tell("localWrong", () => script.fetch("/auth/local", { method: "POST", body: "{}" }));
await tell("nowhere", () => script.collection("restaurants").find());
const stranger = strapi({ baseURL: `${url}/api`, auth: `${apiToken}x` });
await tell("stranger", () => stranger.collection("users").findOne("me"));
console.log(JSON.stringify(told));
