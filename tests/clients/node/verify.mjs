// An API in another language: it knows the issuer and its own audience, finds the keys by itself and believes no token
// that jose does not. Reads {issuer, audience, tokens} as JSON; writes, token by token, the claims or what was wrong.
import { createRemoteJWKSet, jwtVerify } from "jose";
import { text } from "node:stream/consumers";

const { issuer, audience, tokens } = JSON.parse(await text(process.stdin));
const metadata = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json();
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
const expected = { issuer: metadata.issuer, audience, typ: "at+jwt", requiredClaims: ["sub", "exp", "jti", "client_id"] };

const told = [];
for (const token of tokens) {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, keys, expected);
    told.push({ payload, header: protectedHeader });
  } catch (error) {
    told.push({ error: error.code });
  }
}
console.log(JSON.stringify(told));
