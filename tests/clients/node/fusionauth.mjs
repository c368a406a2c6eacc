// FusionAuth's own client, told nothing but another base URL. Reads {url, key, calls} as JSON, where a call is the name
// of a method and its arguments; "$1.refreshToken" stands for what the first call was answered. Writes, call by call,
// the status and the body that the client made of it.
import fusionauth from "@fusionauth/typescript-client";
import { text } from "node:stream/consumers";

const { url, key, calls } = JSON.parse(await text(process.stdin));
const told = [];

function filled(value) {
  if (typeof value === "string" && value.startsWith("$")) {
    const [number, ...path] = value.slice(1).split(".");
    return path.reduce((body, name) => body[name], told[number - 1].body);
  }
  if (value === null || typeof value !== "object") return value;
  const inner = Object.entries(value).map(([name, one]) => [name, filled(one)]);
  return Array.isArray(value) ? inner.map(([, one]) => one) : Object.fromEntries(inner);
}

for (const [method, ...given] of calls) {
  const client = new fusionauth.FusionAuthClient(key, url);
  const answer = await client[method](...given.map(filled)).catch((refused) => refused);
  told.push({ status: answer.statusCode, body: answer.response ?? answer.exception ?? null });
}
console.log(JSON.stringify(told));
