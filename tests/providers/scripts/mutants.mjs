// Signs thousands of tokens of which most are wrong somewhere, and prints which of them jose believes.
import { createHmac } from "node:crypto";
import { jwtVerify } from "jose";

const SECRET = Buffer.alloc(32, 7);
const NOW = 1_800_000_000;
const OPTIONS = {
  algorithms: ["HS256"],
  audience: "billing",
  issuer: "https://id.example",
  requiredClaims: ["exp", "sub"],
  clockTolerance: 10,
  currentDate: new Date(NOW * 1000),
};

// The same numbers in every run.
let state = 1;
const below = (bound) => (state = (state * 48271) % 2147483647) % bound;
const pick = (values) => values[below(values.length)];

// What may stand in a member, as it is written; the first is the usual one, and null is none.
const TIMES = [
  '1800000060.5', '1.80000006e9', '18000000600e-1', '"1800000060"', 'null', 'true', '[1800000060]', '{}', '-1', '0', '-0.0',
  '1799999990', '1799999990.001', '1800000010', '1800000010.001', '1e18', '1e308', '1e-5', '9007199254740993',
  '18446744073709551616', '123456789012345678901234567890', '""', '0x10', '01', 'NaN',
];
const TEXTS = ['""', 'null', '7', '["ada"]', '{}', '" "', '"a\\u0000da"', '"\\ud83d\\ude00"', '"\\ud83d"', 'true'];
const HEADER = {
  alg: ['"HS256"', '"hs256"', '"none"', '"HS384"', '"RS256"', '["HS256"]', '"HS\\u003256"', '7', null],
  typ: [null, '"JWT"', '"at+jwt"', '"application/at+JWT"', '"dpop+jwt"', '7', 'null'],
  crit: [null, '[]', '["exp"]', '["b64"]', 'null', '"exp"', '{}', '["alg"]'],
  b64: [null, 'true', 'false', 'null'],
  kid: [null, '"1"', '7', 'null', '["1"]', '"../1"'],
};
const CLAIMS = {
  sub: ['"ada"', ...TEXTS, null],
  iss: ['"https://id.example"', '"https://id.example/"', '"https:\\/\\/id.example"', '["https://id.example"]', 'null', '7', null],
  aud: [
    '"billing"', '["billing"]', '["x","billing"]', '[]', '[["billing"]]', '[7,"billing"]', '{"billing":1}', '"billing "',
    '"billin\\u0067"', '7', 'null', null,
  ],
  exp: ['1800000060', ...TIMES, null],
  nbf: [null, ...TIMES],
  iat: [null, ...TIMES],
  jti: [null, ...TEXTS],
};

const escaped = (name) => (below(12) ? name : `\\u${name.charCodeAt(0).toString(16).padStart(4, "0")}${name.slice(1)}`);

// An object, two members of which are unusual now and then, and one of which may be there twice.
function object(members) {
  const value = (values) => (below(6) ? values[0] : pick(values));
  const written = Object.entries(members).map(([name, values]) => [escaped(name), value(values)]);
  const parts = written.filter(([, value]) => value !== null).map(([name, value]) => `"${name}":${value}`);
  if (!below(25)) parts.splice(below(parts.length), 0, pick(parts));
  const space = pick(["", " ", "\n"]);
  return `${space}{${parts.join(`,${space}`)}}${space}`;
}

function mutant() {
  const message = [object(HEADER), object(CLAIMS)].map((text) => Buffer.from(text).toString("base64url")).join(".");
  const token = `${message}.${createHmac("sha256", SECRET).update(message).digest("base64url")}`;
  return below(20) ? token : pick([`${token}=`, `${token}A`, token.slice(0, -1), token.replace(/[a-z]/, "A")]);
}

const mutants = Array.from({ length: 10_000 }, mutant);
const believed = await Promise.all(mutants.map((token) => jwtVerify(token, SECRET, OPTIONS).then(() => true, () => false)));
console.log(JSON.stringify(mutants.map((token, index) => [token, believed[index]])));
