//! The one library that verifies signatures, named rather than found.
//!
//! `jsonwebtoken` finds its backend for the whole process, and panics where the final binary has several of them.

use jsonwebtoken::{DecodingKey, crypto::CryptoProvider};

use super::algorithm::JwtAlgorithm;

#[cfg(feature = "jwt")]
pub(super) static CRYPTO: &CryptoProvider = &jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
#[cfg(not(feature = "jwt"))]
pub(super) static CRYPTO: &CryptoProvider = &jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;

/// Whether `key` made `signature` for `message`. False where the key is of another family than the algorithm.
pub(super) fn verify(algorithm: JwtAlgorithm, key: &DecodingKey, message: &[u8], signature: &Vec<u8>) -> bool {
    let verifier = (CRYPTO.verifier_factory)(&algorithm.into(), key);
    verifier.is_ok_and(|verifier| verifier.verify(message, signature).is_ok())
}

/// The modulus and the exponent of a public key (RFC 8017, appendix A.1.1).
pub(super) fn rsa_components(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    (CRYPTO.key_utils.rsa_pub_components_from_public_key)(der).ok()
}
