// After every answer.
pm.test("it has its X-Request-Id", () => pm.response.to.have.header("X-Request-Id"));
if (!/\.well-known|openapi\.json/.test(pm.request.url.getPath())) {
  pm.test("nobody may store it", () => pm.expect(pm.response.headers.get("Cache-Control")).to.match(/^no-store/));
}
