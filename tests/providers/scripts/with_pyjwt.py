"""Makes the tokens of `tokens.json` with PyJWT, and prints them with the public keys."""

import json
import secrets

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, HMACAlgorithm, OKPAlgorithm, RSAAlgorithm

from table import show

CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}


class PyJwt:
    def generate(self, kind):
        match kind:
            case {"kty": "oct", "bits": bits}:
                return secrets.token_bytes(bits // 8)
            case {"kty": "RSA", "bits": bits}:
                return rsa.generate_private_key(65537, bits)
            case {"kty": "EC", "crv": curve}:
                return ec.generate_private_key(CURVES[curve])
            case {"kty": "OKP"}:
                return ed25519.Ed25519PrivateKey.generate()

    def public_jwk(self, key):
        if isinstance(key, bytes):
            return HMACAlgorithm.to_jwk(key, as_dict=True)
        public = key.public_key()
        kinds = [(rsa.RSAPublicKey, RSAAlgorithm), (ec.EllipticCurvePublicKey, ECAlgorithm)]
        algorithm = next((algorithm for kind, algorithm in kinds if isinstance(public, kind)), OKPAlgorithm)
        return algorithm.to_jwk(public, as_dict=True)

    def pem(self, key):
        if isinstance(key, bytes):
            return None
        return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, key, header, claims):
        return jwt.PyJWS().encode(json.dumps(claims).encode(), key, algorithm=header["alg"], headers=header)


show(PyJwt())
