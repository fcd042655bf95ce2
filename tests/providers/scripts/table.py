"""Makes the tokens of `tokens.json` with a library, which is told by a class with `generate`, `public_jwk`, `pem` and `sign`."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path

TABLE = json.loads(Path(__file__).with_name("..").joinpath("tokens.json").read_text())
KINDS = {algorithm["name"]: algorithm for algorithm in TABLE["algorithms"]}


def without_nulls(members):
    return {name: value for name, value in members.items() if value is not None}


def content(row):
    times = TABLE["seconds_from_now"] | row.get("seconds_from_now", {})
    dated = {name: int(time.time()) + seconds for name, seconds in times.items()}
    return without_nulls(TABLE["claims"] | dated | row.get("claims", {}))


def encode(part):
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def with_claims(token, claims):
    header, _, signature = token.split(".")
    return f"{header}.{encode(json.dumps(claims).encode())}.{signature}"


def forge(text, header, claims):
    """Signs with a public key as a secret, which the libraries refuse to do."""
    message = ".".join(encode(json.dumps(part).encode()) for part in [header, claims])
    return f"{message}.{encode(hmac.digest(text.encode(), message.encode(), hashlib.sha256))}"


class Maker:
    def __init__(self, library, algorithm):
        self.library = library
        self.name = algorithm["name"]
        self.key = library.generate(algorithm["key"])

    def signer(self, row):
        """Algorithm and key, and the public key where it is embedded."""
        match row.get("signed_by"):
            case None:
                return self.name, self.key
            case "another key":
                return self.name, self.library.generate(KINDS[self.name]["key"] | {"bits": 2048})
            case "another algorithm":
                other = KINDS[KINDS[self.name]["other"]]
                own = {name: value for name, value in KINDS[self.name]["key"].items() if name != "bits"}
                fits = own == {name: value for name, value in other["key"].items() if name != "bits"}
                return other["name"], self.key if fits else self.library.generate(other["key"])
            case "public key":
                return "HS256", self.library.pem(self.key)
            case "nobody":
                return "none", None

    def token(self, row):
        algorithm, key = self.signer(row)
        header = {"alg": algorithm, "kid": self.name} | TABLE["header"] | row.get("header", {})
        if row.get("embedded"):
            header["jwk"] = self.library.public_jwk(key)
        claims = content(row)
        sign = forge if isinstance(key, str) else self.library.sign
        signed = sign(key, header, claims)
        return with_claims(signed, claims | row["changed_to"]) if "changed_to" in row else signed

    def rows(self):
        secret = KINDS[self.name]["key"]["kty"] == "oct"
        return [row for row in TABLE["tokens"] if not (secret and row.get("signed_by") == "public key")]

    def make(self):
        jwk = self.library.public_jwk(self.key) | {"kid": self.name, "alg": self.name, "use": "sig"}
        tokens = {row["name"]: self.token(row) for row in self.rows()}
        return {"name": self.name, "jwk": jwk, "pem": self.library.pem(self.key), "tokens": tokens}


def show(library):
    print(json.dumps({"algorithms": [Maker(library, algorithm).make() for algorithm in TABLE["algorithms"]]}))
