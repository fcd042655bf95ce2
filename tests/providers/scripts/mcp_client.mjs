// A client of the Model Context Protocol, made with its SDK. It knows the address of a server, and nothing else; it prints
// what it asked for on its way, and what it got.
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const steps = [];

async function fetchAndTell(url, init) {
  const answer = await fetch(url, init);
  steps.push(`${init?.method ?? "GET"} ${new URL(url).pathname} ${answer.status}`);
  return answer;
}

// What a person does in a browser: follows redirects, and keeps cookies.
async function browse(start, callback) {
  const cookies = new Map();
  for (let url = start; ; ) {
    if (`${url.origin}${url.pathname}` === callback) return url.searchParams.get("code");
    const cookie = [...cookies].map((pair) => pair.join("=")).join("; ");
    const answer = await fetch(url, { redirect: "manual", headers: { cookie } });
    for (const line of answer.headers.getSetCookie()) cookies.set(...line.split(";")[0].split(/=(.*)/s));
    if (!answer.headers.has("location")) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
    url = new URL(answer.headers.get("location"), url);
  }
}

const login = {
  redirectUrl: "http://127.0.0.1/callback",
  clientMetadata: { redirect_uris: ["http://127.0.0.1/callback"] },
  clientInformation: () => ({ client_id: "agent" }),
  tokens: () => login.given,
  saveTokens: (tokens) => (login.given = tokens),
  saveCodeVerifier: (verifier) => (login.verifier = verifier),
  codeVerifier: () => login.verifier,
  redirectToAuthorization: async (url) => {
    steps.push(`log in for ${url.searchParams.get("scope")} at ${url.searchParams.get("resource")}`);
    login.code = await browse(url, login.redirectUrl);
  },
};

const url = new URL(process.argv[2]);
const open = () => new StreamableHTTPClientTransport(url, { authProvider: login, fetch: fetchAndTell });
const client = new Client({ name: "drill", version: "1" });
let transport = open();

async function loggingIn(attempt, again = attempt) {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    await transport.finishAuth(login.code);
    return again();
  }
}

await loggingIn(
  () => client.connect(transport),
  () => client.connect((transport = open())),
);
const { tools } = await client.listTools();
const texts = [];
for (const { name } of tools) {
  const { content } = await loggingIn(() => client.callTool({ name, arguments: {} }));
  texts.push(content[0].text);
}
await client.close();
console.log(JSON.stringify({ server: client.getServerVersion()?.name, steps, texts }));
