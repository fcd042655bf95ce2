// Makes the tokens of `tokens.json` with jose, and prints them with the public keys.
import { readFileSync } from "node:fs";
import * as jose from "jose";

const read = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url)));
const table = read("../tokens.json");
const kinds = new Map(table.algorithms.map(({ name, key }) => [name, key]));

async function generate(algorithm, bits = 2048) {
  const { kty } = kinds.get(algorithm);
  if (kty === "oct") return jose.exportJWK(await jose.generateSecret(algorithm, { extractable: true }));
  const pair = await jose.generateKeyPair(algorithm, { modulusLength: bits, extractable: true });
  return jose.exportJWK(pair.privateKey);
}

function publicPart(jwk) {
  const { d, p, q, dp, dq, qi, ...open } = jwk;
  return open;
}

async function pem(algorithm, jwk) {
  return jwk.kty === "oct" ? undefined : jose.exportSPKI(await jose.importJWK(publicPart(jwk), algorithm, { extractable: true }));
}

const without = (members) => Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));
const replace = (token, claims) => token.replace(/\.[^.]*\./, `.${jose.base64url.encode(JSON.stringify(claims))}.`);

function content(row) {
  const now = Math.floor(Date.now() / 1000);
  const times = Object.entries({ ...table.seconds_from_now, ...row.seconds_from_now });
  const dated = Object.fromEntries(times.map(([name, seconds]) => [name, now + seconds]));
  return without({ ...table.claims, ...dated, ...row.claims });
}

async function signer(row, algorithm, key, text) {
  const other = table.algorithms.find(({ name }) => name === algorithm).other;
  switch (row.signed_by) {
    case undefined:
      return [algorithm, await jose.importJWK(key, algorithm)];
    case "another key": {
      const jwk = await generate(algorithm);
      return [algorithm, await jose.importJWK(jwk, algorithm), publicPart(jwk)];
    }
    case "another algorithm": {
      const fits = kinds.get(other).kty === key.kty && kinds.get(other).crv === key.crv;
      return [other, await jose.importJWK(fits ? key : await generate(other), other)];
    }
    case "public key":
      return ["HS256", text && new TextEncoder().encode(text)];
  }
}

async function token(row, algorithm, key, text) {
  const claims = content(row);
  if (row.signed_by === "nobody") return new jose.UnsecuredJWT(claims).encode();
  const [alg, by, own] = await signer(row, algorithm, key, text);
  if (!by) return undefined;
  const header = { alg, kid: algorithm, ...table.header, ...row.header };
  if (row.embedded) header.jwk = own;
  const crit = Object.fromEntries((header.crit ?? []).map((name) => [name, true]));
  const signed = await new jose.SignJWT(claims).setProtectedHeader(header).sign(by, { crit });
  return row.changed_to ? replace(signed, { ...claims, ...row.changed_to }) : signed;
}

async function make({ name, key: { bits } }) {
  const key = await generate(name, bits);
  const text = await pem(name, key);
  const tokens = await Promise.all(table.tokens.map(async (row) => [row.name, await token(row, name, key, text)]));
  return { name, jwk: { ...publicPart(key), kid: name, alg: name, use: "sig" }, pem: text, tokens: Object.fromEntries(tokens) };
}

const algorithms = await Promise.all(table.algorithms.map(make));
console.log(JSON.stringify({ algorithms }));
