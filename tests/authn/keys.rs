//! Keys for tests. Whoever has this repository has them: they protect nothing.

use jsonwebtoken::{Algorithm, EncodingKey};
use tower_authz::authn::{JwtAlgorithm, Keys};

pub(crate) const JWKS: &str = include_str!("keys/jwks.json");
pub(crate) const RSA_PUBLIC: &str = include_str!("keys/rsa.pub.pem");
pub(crate) const SECRET: &[u8; 64] = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A pair of keys, and the algorithms that it is for.
pub(crate) struct Pair {
    pub(crate) name: &'static str,
    pub(crate) algorithms: &'static [(JwtAlgorithm, Algorithm)],
    pub(crate) public: Keys,
    pub(crate) private: EncodingKey,
}

impl Pair {
    pub(crate) fn usual(&self) -> (JwtAlgorithm, Algorithm) {
        *self.algorithms.first().unwrap()
    }
}

pub(crate) fn pairs() -> [Pair; 5] {
    use JwtAlgorithm::{EdDsa, Es256, Es384, Hs256, Hs384, Hs512, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
    [
        Pair {
            name: "oct",
            algorithms: &[(Hs256, Algorithm::HS256), (Hs384, Algorithm::HS384), (Hs512, Algorithm::HS512)],
            public: Keys::secret(SECRET),
            private: EncodingKey::from_secret(SECRET),
        },
        Pair {
            name: "rsa",
            algorithms: &[
                (Rs256, Algorithm::RS256),
                (Rs384, Algorithm::RS384),
                (Rs512, Algorithm::RS512),
                (Ps256, Algorithm::PS256),
                (Ps384, Algorithm::PS384),
                (Ps512, Algorithm::PS512),
            ],
            public: Keys::pem(RSA_PUBLIC),
            private: EncodingKey::from_rsa_pem(include_bytes!("keys/rsa.pem")).unwrap(),
        },
        Pair {
            name: "p256",
            algorithms: &[(Es256, Algorithm::ES256)],
            public: Keys::pem(include_str!("keys/p256.pub.pem")),
            private: EncodingKey::from_ec_pem(include_bytes!("keys/p256.pem")).unwrap(),
        },
        Pair {
            name: "p384",
            algorithms: &[(Es384, Algorithm::ES384)],
            public: Keys::pem(include_str!("keys/p384.pub.pem")),
            private: EncodingKey::from_ec_pem(include_bytes!("keys/p384.pem")).unwrap(),
        },
        Pair {
            name: "ed25519",
            algorithms: &[(EdDsa, Algorithm::EdDSA)],
            public: Keys::pem(include_str!("keys/ed25519.pub.pem")),
            private: EncodingKey::from_ed_pem(include_bytes!("keys/ed25519.pem")).unwrap(),
        },
    ]
}

pub(crate) fn pair(name: &str) -> Pair {
    pairs().into_iter().find(|pair| pair.name == name).unwrap()
}
