// An OpenID provider on the loopback. It is told what to do by lines on its input, and answers each with a line of JSON.
import { createServer } from "node:http";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

// Its advice is about production.
console.info = console.warn = () => {};
const { Provider } = await import("oidc-provider");

const ALGORITHMS = ["RS256", "ES256", "Ed25519", "PS256", "ES384", "EdDSA"];
const CLIENT = { client_id: "importer", client_secret: "a secret of the importer" };
const AGENT = { client_id: "agent", redirect_uris: ["http://127.0.0.1/callback"], application_type: "native" };

const requests = {};
const keys = [];
let provider, issuer, port, made = 0, state = "down";

const server = createServer((request, response) => {
  const path = new URL(request.url, issuer).pathname;
  requests[path] = (requests[path] ?? 0) + 1;
  if (state === "failing") return response.writeHead(500).end();
  if (state === "hanging") return;
  if (path.startsWith("/interaction/")) return interact(request, response);
  provider.callback()(request, response);
});

// Whoever logs in is ada, and allows everything.
async function interact(request, response) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") return provider.interactionFinished(request, response, { login: { accountId: "ada" } });
  const owner = { accountId: session.accountId, clientId: params.client_id };
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant(owner);
  grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(" "));
  const missing = Object.entries(prompt.details.missingResourceScopes ?? {});
  missing.forEach(([resource, scopes]) => grant.addResourceScope(resource, scopes.join(" ")));
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
}

// The newest key signs; those before it are published as long as they are not retired.
async function rotate() {
  const alg = ALGORITHMS[made % ALGORITHMS.length];
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  keys.unshift({ ...(await exportJWK(privateKey)), kid: `key-${(made += 1)}`, alg, use: "sig" });
  provide();
  return { kid: keys[0].kid, alg };
}

function provide() {
  const [{ alg, kid }] = keys;
  const sign = { alg, kid };
  provider = new Provider(issuer, {
    jwks: { keys },
    clients: [
      { ...CLIENT, grant_types: ["client_credentials"], redirect_uris: [], response_types: [] },
      { ...AGENT, token_endpoint_auth_method: "none" },
    ],
    cookies: { keys: ["a secret of the provider"] },
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      dPoP: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, audience) => ({
          audience,
          scope: "invoices:read invoices:write",
          accessTokenFormat: "jwt",
          accessTokenTTL: 3600,
          jwt: { sign },
        }),
      },
    },
  });
}

async function token(resource, scope, more = {}) {
  const body = new URLSearchParams({ grant_type: "client_credentials", resource, scope });
  const { client_id, client_secret } = CLIENT;
  const authorization = `Basic ${btoa([client_id, client_secret].map(encodeURIComponent).join(":"))}`;
  const answer = await fetch(`${issuer}/token`, { method: "POST", body, headers: { authorization, ...more } });
  const { access_token } = await answer.json();
  return { token: access_token };
}

// A token that is of use only to who has the key of a proof (RFC 9449).
async function bound(resource, scope) {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const proof = new SignJWT({ htm: "POST", htu: `${issuer}/token`, jti: crypto.randomUUID() }).setIssuedAt();
  const header = { alg: "ES256", typ: "dpop+jwt", jwk: await exportJWK(publicKey) };
  return token(resource, scope, { dpop: await proof.setProtectedHeader(header).sign(privateKey) });
}

async function listen() {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address());
  issuer ??= `http://127.0.0.1:${port}`;
  state = "up";
}

async function close() {
  server.close();
  server.closeAllConnections();
  await once(server, "close");
  state = "down";
}

const commands = {
  rotate,
  token: (resource, scope) => token(resource, scope),
  bound,
  retire: () => (keys.splice(1), provide()),
  up: () => (state === "down" ? listen() : (state = "up")),
  down: close,
  failing: () => (state = "failing"),
  hanging: () => (state = "hanging"),
  requests: () => requests,
};

await listen();
await rotate();
console.log(JSON.stringify({ issuer }));
for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...operands] = line.split(" ");
  console.log(JSON.stringify((await commands[name](...operands)) ?? {}));
}
process.exit();
