// Before every request: an access token that is about to run out is refreshed.
const kept = (name) => pm.environment.get(name) || "";
const soon = Date.now() + 30 * 1000;

if (kept("accessToken") && (kept("refreshToken") || kept("csrfToken")) && Number(kept("accessTokenEnds")) < soon) {
  // Kept before it is sent: if no answer comes, the same attempt again harms nobody.
  const attempt = kept("refreshAttempt") || pm.variables.replaceIn("{{$guid}}");
  pm.environment.set("refreshAttempt", attempt);
  const request = {
    url: `${kept("baseUrl")}/jwt/refresh`,
    method: "POST",
    header: {"Content-Type": "application/json", "Idempotency-Key": attempt},
  };
  if (kept("refreshToken")) {
    request.body = {mode: "raw", raw: JSON.stringify({refreshToken: kept("refreshToken")})};
  } else {
    request.header["X-CSRF-TOKEN"] = kept("csrfToken"); // the cookie itself is in the cookie jar
  }
  pm.sendRequest(request, (failure, answer) => {
    if (failure || answer.code >= 429) return; // still signed in: next time, the same attempt
    pm.environment.unset("refreshAttempt");
    const {data, error} = answer.json();
    if (answer.code !== 200 && (answer.code !== 401 || error.code === "csrf_failed")) return; // still signed in too
    pm.environment.set("accessToken", data?.accessToken ?? "");
    pm.environment.set("refreshToken", data?.refreshToken ?? "");
    pm.environment.set("csrfToken", data?.csrfToken ?? "");
    pm.environment.set("accessTokenEnds", Date.now() + (data?.expiresIn ?? 0) * 1000);
  });
}
