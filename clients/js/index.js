// The browser client of authsvc; docs/browser.md says why it does what it does.

const AHEAD = 30_000; // before its end, an access token is replaced
const PATIENCE = 10_000;
const TURN = 5_000; // for the other tabs; one may be frozen
const LONGEST_REST = 60_000;

// A refresh refused with one of these ends a sign-in. All else may pass.
const ENDED = ["token_revoked", "refresh_token_reused", "token_expired", "token_invalid", "credentials_missing"];

export class AuthError extends Error {
  constructor(status, code, message, more) {
    super(message);
    Object.assign(this, { name: "AuthError", status, code }, more);
  }
}

export function memoryStore() {
  const kept = new Map();
  return { getItem: (name) => kept.get(name) ?? null, setItem: (name, text) => void kept.set(name, text) };
}

function usualStore() {
  try {
    return localStorage;
  } catch {
    return memoryStore();
  }
}

// One clock may stand still while a laptop sleeps, the other be set back. Too soon is better than too late.
const moment = () => [Date.now(), performance.now()];
const since = ([wall, steady]) => Math.max(Date.now() - wall, performance.now() - steady);

const random = () => crypto.getRandomValues(new Uint32Array(4)).join("-"); // randomUUID wants https
const cookie = (name) => document.cookie.match(`(?:^|; )${name}=([^;]+)`)?.[1];

export function createClient({
  url = "/",
  transport = "cookie",
  applicationId,
  tenant,
  apis = [],
  store = usualStore(),
} = {}) {
  const base = new URL(url, location.href).href.replace(/\/+$/, "");
  const byCookie = transport === "cookie";
  const readsCookie = byCookie && new URL(base).hostname === location.hostname;
  const trusted = [base, ...apis, ""].map((address) => new URL(address, location.href).origin);
  const name = ["authsvc", base, ...(byCookie ? [] : [tenant, applicationId])].join(" ");
  const isShared = byCookie || store === globalThis.localStorage;
  const channel = isShared && globalThis.BroadcastChannel ? new BroadcastChannel(name) : null;
  const listeners = new Set();

  let state = { signedIn: undefined, user: null };
  let signIn; // whose `state` is
  let access = null; // {token, life, from}
  let rest = { length: 0, count: 0, from: moment() }; // after a failure
  let refreshing = null;

  // The store has `held`, the refresh token or its csrf value, and `attempt`, the key under which it is being spent.

  function kept() {
    try {
      return JSON.parse(store.getItem(name)) ?? {};
    } catch {
      return {};
    }
  }
  const keep = (record) => store.setItem(name, JSON.stringify(record));
  const held = () => (readsCookie ? cookie("csrf_refresh_token") : kept().held);
  const mayHold = () => held() || (byCookie && !readsCookie && !store.getItem(name));

  function tell(news) {
    hear(news);
    channel?.postMessage(news);
  }

  function hear({ pause, token, life, id, user }) {
    if (pause) {
      rest = { ...pause, from: moment() };
      return;
    }
    access = token ? { token, life, from: moment() } : null;
    become(!!token, user ?? (token && id === signIn ? state.user : null));
    signIn = id;
  }

  function become(signedIn, user) {
    if (state.signedIn === signedIn && state.user === user) return;
    const now = (state = { signedIn, user });
    listeners.forEach((listener) => queueMicrotask(() => listener(now)));
  }

  function enter({ accessToken: token, expiresIn, refreshTokenId: id, user }, from) {
    rest = { ...rest, length: 0, count: 0 };
    tell({ token, life: expiresIn * 1000 - since(from), id, user });
  }

  function leave() {
    keep({});
    tell({});
  }

  function restAfter({ status, code, message, retryAfter = 0 }) {
    const backoff = Math.min(LONGEST_REST, 1000 * 2 ** rest.count) * (0.5 + Math.random() / 2);
    const length = Math.max(retryAfter * 1000, backoff);
    tell({ pause: { length, count: rest.count + 1, error: [status, code, message, { retryAfter }] } });
  }

  async function ask(path, body, csrf, headers) {
    let answer, json;
    try {
      answer = await fetch(base + path, {
        method: "POST",
        credentials: byCookie ? "include" : "omit",
        headers: {
          "Content-Type": "application/json",
          ...(tenant && { "X-Tenant-Id": tenant }),
          ...(byCookie && csrf && { "X-CSRF-TOKEN": csrf }),
          ...headers,
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(PATIENCE),
      });
      json = await answer.json();
    } catch (cause) {
      if (!answer || answer.ok) throw new AuthError(0, "unreachable", "authsvc did not answer.", { cause });
    }
    if (answer.ok) return json.data;
    throw refusal(answer, json);
  }

  function refusal({ status, headers }, json) {
    const { code = "unreachable", fields, requestId } = json?.error ?? {};
    const retryAfter = Number(headers.get("Retry-After")) || undefined;
    const more = { fields, requestId, retryAfter, csrf: headers.get("X-CSRF-TOKEN") };
    return new AuthError(status, code, json?.message ?? `authsvc answered ${status}.`, more);
  }

  /** A 401 may be about what another tab has replaced. */
  async function withHeld(work) {
    const sent = held();
    try {
      return await work(sent);
    } catch (error) {
      if (error.csrf) keep({ held: error.csrf });
      if (error.status !== 401 || !held() || held() === sent) throw error;
      return work(held());
    }
  }

  /** One tab at a time where the browser can; else nothing breaks. */
  async function alone(work) {
    let isAlone = !isShared;
    if (isShared && navigator.locks) {
      const turn = { signal: AbortSignal.timeout(TURN) };
      try {
        return await navigator.locks.request(name, turn, () => work((isAlone = true)));
      } catch (error) {
        if (isAlone) throw error;
      }
    }
    return work(isAlone);
  }

  function refresh() {
    const seen = access;
    return (refreshing ??= alone((isAlone) => step(seen, isAlone)).finally(() => (refreshing = null)));
  }

  async function step(seen, isAlone) {
    if (access !== seen) return;
    if (since(rest.from) < rest.length) throw new AuthError(...rest.error);
    try {
      await withHeld((sent) => spend(sent, isAlone));
    } catch (error) {
      if (error.status === 401 && ENDED.includes(error.code)) return leave();
      restAfter(error);
      throw error;
    }
  }

  async function spend(sent, isAlone, isAgain) {
    if (!mayHold()) return leave();
    const attempt = await attemptAt(sent, isAlone);
    const from = moment();
    const data = await ask("/jwt/refresh", byCookie ? {} : { refreshToken: sent }, sent, { "Idempotency-Key": attempt });
    const next = heldIn(data);
    const now = kept().held;
    // Another tab came further or signed out: this answer may have brought an old cookie.
    if (sent && now !== sent && now !== next && !isAgain) return spend(held(), isAlone, true);
    keep({ held: next });
    enter(data, from);
  }

  /** The same key for this token until an answer has come, however long that takes. */
  async function attemptAt(sent, isAlone) {
    const last = kept();
    if (last.attempt && last.held === sent) return last.attempt;
    const attempt = random();
    if (!sent) return attempt;
    keep({ held: sent, attempt });
    if (!isAlone) await new Promise((done) => setTimeout(done, 50)); // tabs that began together agree on the last
    return kept().attempt ?? attempt;
  }

  function heldIn(data) {
    const found = data?.accessToken && (byCookie ? data.csrfToken : data.refreshToken);
    if (!found) throw new AuthError(0, "unexpected_answer", `That was no answer in ${transport} transport.`);
    return found;
  }

  async function accessToken(refused) {
    const left = access ? access.life - since(access.from) : 0;
    const isRefused = access?.token === refused;
    const isGood = access && !isRefused && left > Math.min(AHEAD, access.life / 5);
    if (!isGood && state.signedIn !== false) {
      try {
        await refresh();
      } catch (error) {
        if (left <= 0 || isRefused) throw error; // otherwise the old one will do
      }
    }
    return access?.token;
  }

  async function fetchAsUser(input, init) {
    const request = new Request(input, init);
    const isOurs = trusted.includes(new URL(request.url).origin) && !request.headers.has("Authorization");
    if (!isOurs) return fetch(request);
    const token = await accessToken();
    const answer = await send(request.clone(), token); // a body can be read once
    if (!token || !(await isRefusal(answer))) return answer;
    const next = await accessToken(token);
    return next && next !== token ? send(request, next) : answer;
  }

  function send(request, token) {
    if (token) request.headers.set("Authorization", `Bearer ${token}`);
    return fetch(request);
  }

  async function isRefusal(answer) {
    if (answer.status !== 401) return false;
    const json = await answer.clone().json().catch(() => null);
    return /^token_/.test(json?.error?.code) || /invalid_token/.test(answer.headers.get("WWW-Authenticate"));
  }

  async function enterBy(path, fields) {
    await refreshing?.catch(() => {});
    return alone(async () => {
      const from = moment();
      const data = await ask(path, { applicationId, ...fields });
      keep({ held: heldIn(data) });
      enter(data, from);
      return state.user;
    });
  }

  async function logout({ everywhere = false } = {}) {
    await refreshing?.catch(() => {});
    return alone(async () => {
      const bearer = access && { Authorization: `Bearer ${access.token}` };
      const body = (sent) => ({ everywhere, ...(!byCookie && { refreshToken: sent }) });
      await withHeld((sent) => ask("/auth/logout", body(sent), sent, bearer));
      leave();
    });
  }

  async function start() {
    if ((await accessToken()) && !state.user) {
      const answer = await fetchAsUser(`${base}/auth/me`);
      const json = await answer.json().catch(() => null);
      if (answer.ok) become(true, json.data.user);
      else if (state.signedIn) throw refusal(answer, json);
    }
    return state.user;
  }

  function onStorage({ key }) {
    if (key !== name || channel || !isShared) return;
    if (!kept().held) return hear({});
    if (state.signedIn) return;
    become(undefined, null);
    start().catch(() => {});
  }
  function onOnline() {
    if (rest.error?.[0] === 0) rest.length = 0;
  }
  if (channel) channel.onmessage = ({ data }) => hear(data);
  addEventListener("storage", onStorage);
  addEventListener("online", onOnline);

  return {
    get state() {
      return state;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    start,
    register: (fields) => enterBy("/auth/register", fields),
    login: (fields) => enterBy("/auth/login", fields),
    logout,
    fetch: fetchAsUser,
    accessToken: () => accessToken(),
    close() {
      channel?.close();
      removeEventListener("storage", onStorage);
      removeEventListener("online", onOnline);
    },
  };
}
