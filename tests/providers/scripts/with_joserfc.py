"""Makes the tokens of `tokens.json` with joserfc, and prints them with the public keys."""

from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.registry import HeaderParameter

from table import TABLE, show

REGISTRY = jws.JWSRegistry(
    header_registry={"exp": HeaderParameter("a critical extension", "int")},
    algorithms=[algorithm["name"] for algorithm in TABLE["algorithms"]] + ["none"],
    strict_check_header=False,
)
NO_KEY = OctKey.generate_key(256)


class Joserfc:
    def generate(self, kind):
        match kind:
            case {"kty": "oct", "bits": bits}:
                return OctKey.generate_key(bits)
            case {"kty": "RSA", "bits": bits}:
                return RSAKey.generate_key(bits)
            case {"kty": "EC", "crv": curve}:
                return ECKey.generate_key(curve)
            case {"kty": "OKP", "crv": curve}:
                return OKPKey.generate_key(curve)

    def public_jwk(self, key):
        return key.as_dict(private=isinstance(key, OctKey))

    def pem(self, key):
        return None if isinstance(key, OctKey) else key.as_pem(private=False).decode()

    def sign(self, key, header, claims):
        return jwt.encode(header, claims, key or NO_KEY, registry=REGISTRY)


show(Joserfc())
