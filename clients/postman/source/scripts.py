"""The small JavaScript of the collection: what is sent, judged and kept."""

import json
import re
from dataclasses import dataclass
from typing import Any

VARIABLE = re.compile(r"{{(\w+)}}")


@dataclass(frozen=True)
class Fits:
    """What a value must be like, where it can't be known: a chain of chai's, and the same in words."""

    chain: str
    words: str


A_JWT = Fits(r"match(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/)", "a JWT")
AN_ID = Fits("match(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)", "an id")
A_TIME = Fits(r"match(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)", "a time")
AN_API_TOKEN = Fits(r"match(/^asvc_\w{36}$/)", "an API token")
A_CLIENT_SECRET = Fits(r"match(/^asvcs_[\w-]+$/)", "a client's secret")
SECONDS = Fits('be.a("number").above(0)', "seconds")
MILLISECONDS = Fits('be.a("number").above(1e12)', "milliseconds since 1970")
TEXT = Fits('be.a("string").that.is.not.empty', "some text")
SOME = Fits('be.an("array").that.is.not.empty', "not empty")
ABSENT = Fits("be.undefined", "not there")


def includes(value: Any) -> Fits:
    return Fits(f"include({literal(value)})", f"with {_said(value)} in it")


def includes_members(*values: Any) -> Fits:
    return Fits(f"include.members({literal(list(values))})", f"with {_said(list(values))} in it")


def other_than(value: Any) -> Fits:
    return Fits(f"not.eql({literal(value)})", f"other than {_said(value)}")


def at_least(number: int) -> Fits:
    return Fits(f"be.at.least({number})", f"at least {number}")


def literal(value: Any) -> str:
    """A value in JavaScript, the variables in it filled in."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {literal(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(literal(one) for one in value) + "]"
    if isinstance(value, str) and (whole := VARIABLE.fullmatch(value)):
        return f'pm.environment.get("{whole[1]}")'
    text = json.dumps(value, ensure_ascii=False)
    return f"pm.variables.replaceIn({text})" if isinstance(value, str) and VARIABLE.search(value) else text


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def holds(place: str, value: Any) -> list[str]:
    """`place` of the answer, such as data.user.email, is this."""
    chain, words = (value.chain, value.words) if isinstance(value, Fits) else (f"eql({literal(value)})", _said(value))
    title = json.dumps(f"{place}: {words}", ensure_ascii=False)
    where = f"body{place}" if place.startswith("[") else f"body.{place}"
    return [f"pm.test({title}, () => pm.expect({where}).to.{chain});"]


def has_header(name: str, value: Any) -> list[str]:
    chain, words = (value.chain, value.words) if isinstance(value, Fits) else (f"eql({literal(value)})", _said(value))
    title = json.dumps(f"{name}: {words}", ensure_ascii=False)
    return [f'pm.test({title}, () => pm.expect(pm.response.headers.get("{name}")).to.{chain});']


def answers(status: int) -> list[str]:
    """The body is what a failure shows."""
    return [f'pm.test("{status}", () => pm.expect(pm.response.code, pm.response.text()).to.eql({status}));']


def is_empty() -> list[str]:
    return ['pm.test("the body is empty", () => pm.expect(pm.response.text()).to.eql(""));']


def yes() -> list[str]:
    return [
        'pm.test("the envelope of a yes", () => {',
        '  pm.expect(body).to.have.all.keys("success", "message", "data");',
        "  pm.expect(body.success).to.be.true;",
        "});",
    ]


def no(code: str) -> list[str]:
    return [
        f'pm.test("the envelope of a no: {code}", () => {{',
        '  pm.expect(body).to.have.all.keys("success", "message", "data", "error");',
        "  pm.expect([body.success, body.data]).to.eql([false, null]);",
        f'  pm.expect(body.error.code).to.eql("{code}");',
        '  pm.expect(body.error.requestId).to.eql(pm.response.headers.get("X-Request-Id"));',
        "});",
    ]


def kept(name: str, place: str) -> list[str]:
    return [f'pm.environment.set("{name}", body.{place});']


STARTS_ANEW = """\
// A new round: names of its own, and nobody signed in.
const run = pm.variables.replaceIn("{{$guid}}").slice(0, 8);
const fresh = {
  run,
  application: "default",
  email: `postman-${run}@example.com`,
  username: `postman-${run}`,
  password: `a quiet harbour ${pm.variables.replaceIn("{{$guid}}")}`,
  accessToken: "",
  accessTokenEnds: 0,
  refreshToken: "",
  csrfToken: "",
  refreshAttempt: "",
};
Object.entries(fresh).forEach(([name, value]) => pm.environment.set(name, value));
""".splitlines()

STOPS_UNLESS_FILLED_IN = """\
const missing = ["baseUrl", "adminEmail", "adminPassword"].filter((name) => !pm.environment.get(name));
pm.test("the environment is chosen and filled in", () => pm.expect(missing, "fill these in").to.eql([]));
if (missing.length) pm.execution.setNextRequest(null);
""".splitlines()

KEEPS_SIGN_IN = """\
pm.environment.set("accessToken", body.data.accessToken);
pm.environment.set("accessTokenEnds", Date.now() + body.data.expiresIn * 1000);
pm.environment.set("refreshToken", body.data.refreshToken ?? "");
pm.environment.set("csrfToken", body.data.csrfToken ?? "");
pm.environment.set("refreshTokenId", body.data.refreshTokenId);
pm.environment.unset("refreshAttempt");
""".splitlines()

FORGETS_SIGN_IN = """\
["accessToken", "refreshToken", "csrfToken"].forEach((name) => pm.environment.set(name, ""));
""".splitlines()

TRAVELS_AS_CHOSEN = """\
pm.test(`the refresh token travels by ${pm.environment.get("transport")}`, () => {
  const inCookie = pm.environment.get("transport") === "cookie";
  pm.expect(body.data).to.have.property(inCookie ? "csrfToken" : "refreshToken").that.is.a("string");
  pm.expect(body.data).not.to.have.property(inCookie ? "refreshToken" : "csrfToken");
  pm.expect(pm.response.headers.has("Set-Cookie")).to.eql(inCookie);
});
""".splitlines()

CHOOSES_ATTEMPT = """\
// Kept before it is sent: the same again where no answer came.
if (!pm.environment.get("refreshAttempt")) {
  pm.environment.set("refreshAttempt", pm.variables.replaceIn("{{$guid}}"));
}
// In cookie transport the cookie does it, and X-CSRF-TOKEN beside it.
if (!pm.environment.get("refreshToken")) pm.request.body.update({mode: "raw", raw: ""});
""".splitlines()
