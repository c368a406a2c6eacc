// For low-code tools, where tokens lie in the tool's own store: Appsmith, ToolJet, Retool and the like.
// The application is one in body transport. docs/browser.md says how to set it up.

const AHEAD = 30_000; // a token is replaced this long before its end
const ENDED = ["token_revoked", "refresh_token_reused", "token_expired", "token_invalid"];

const random = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

/**
 * `store()` answers the tool's store as it is now; `storeValue(name, value)` puts something into it. In Appsmith:
 * lowCode({url, store: () => appsmith.store, storeValue}).
 */
export function lowCode({ url, store, storeValue, applicationId, tenant }) {
  let refreshing = null;

  async function ask(path, body, headers) {
    const answer = await fetch(url.replace(/\/+$/, "") + path, {
      method: "POST",
      credentials: "omit",
      headers: { "Content-Type": "application/json", ...(tenant && { "X-Tenant-Id": tenant }), ...headers },
      body: JSON.stringify(body),
    });
    const json = await answer.json().catch(() => null);
    if (answer.ok && json?.success) return json.data;
    const error = new Error(json?.message ?? `authsvc answered ${answer.status}.`);
    throw Object.assign(error, { status: answer.status, code: json?.error?.code ?? "unreachable" });
  }

  /** As in the guide, and beside them when the access token ends, by the clock of this machine. */
  async function storeTokens(asked, { accessToken, refreshToken, expiresIn }) {
    await storeValue("access_token", accessToken);
    await storeValue("refresh_token", refreshToken);
    await storeValue("access_token_ends", asked + expiresIn * 1000);
    return accessToken;
  }

  async function signIn(fields) {
    const asked = Date.now();
    return storeTokens(asked, await ask("/auth/login", { applicationId, ...fields }));
  }

  /** On page load and before requests: the access token, a new one if it is about to end; undefined: sign in. */
  function refreshAccessToken() {
    return (refreshing ??= refresh().finally(() => (refreshing = null)));
  }

  async function refresh() {
    const { access_token, access_token_ends, refresh_token, refresh_attempt } = store();
    const asked = Date.now();
    if (access_token && asked < access_token_ends - AHEAD) return access_token;
    if (!refresh_token) return undefined;
    // The key is stored before it is sent. If the answer is lost, the same key gets the same answer, however much later.
    const isRepeated = refresh_attempt?.token === refresh_token;
    const attempt = isRepeated ? refresh_attempt : { token: refresh_token, key: random() };
    await storeValue("refresh_attempt", attempt);
    try {
      const data = await ask("/jwt/refresh", { refreshToken: refresh_token }, { "Idempotency-Key": attempt.key });
      return await storeTokens(asked, data);
    } catch (error) {
      if (error.status !== 401 || !ENDED.includes(error.code)) throw error; // still signed in: try again later
      return forget();
    }
  }

  async function signOut() {
    const { access_token, refresh_token } = store();
    const bearer = access_token && { Authorization: `Bearer ${access_token}` };
    await ask("/auth/logout", { ...(refresh_token && { refreshToken: refresh_token }) }, bearer);
    await forget();
  }

  async function forget() {
    for (const name of ["access_token", "refresh_token", "access_token_ends", "refresh_attempt"]) {
      await storeValue(name, undefined);
    }
  }

  return { signIn, refreshAccessToken, signOut };
}
