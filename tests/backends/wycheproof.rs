//! Signatures that Project Wycheproof collects, because libraries went wrong with them.
//!
//! What is signed there is no token, so the keys that tokens are verified with are asked themselves: the files of the
//! crate are those that are compiled here. How many signatures are right and wrong is counted, so that no set is skipped.

#[path = "../../src/authn/jwt"]
#[expect(dead_code, unexpected_cfgs, reason = "the files are those of the crate, whole")]
mod jwt {
    mod algorithm;
    mod backend;
    mod key;
    mod object;

    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::{Value, json};
    use wycheproof::{
        HashFunction::{self, Sha2_256, Sha2_384, Sha2_512},
        TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify,
    };

    use self::{
        algorithm::JwtAlgorithm::{
            self, EdDsa, Es256, Es384, Hs256, Hs384, Hs512, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512,
        },
        key::Key,
    };

    /// How many signatures of a set are right, and how many are wrong.
    type Counts = (usize, usize);

    /// What may be accepted or not is refused: where it says `Acceptable`, a signature has a second form.
    fn judge(
        counts: &mut Counts,
        key: &Key,
        algorithm: JwtAlgorithm,
        message: &[u8],
        signature: &[u8],
        right: bool,
        name: &str,
    ) {
        assert_eq!(key.verify(algorithm, message, &signature.to_vec()), right, "{name}");
        *(if right { &mut counts.0 } else { &mut counts.1 }) += 1;
    }

    fn key(jwk: &Value) -> Key {
        Key::jwk(jwk.as_object().unwrap()).unwrap()
    }

    fn text(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn rsa(modulus: &[u8], exponent: &[u8]) -> Key {
        key(&json!({ "kty": "RSA", "n": text(modulus), "e": text(exponent) }))
    }

    #[test]
    fn rsa_with_pkcs1() {
        use rsa_pkcs1_verify::{TestName as Name, TestSet};
        for (set, algorithm, expected) in [
            (Name::Rsa2048Sha256, Rs256, (9, 250)),
            (Name::Rsa2048Sha384, Rs384, (7, 251)),
            (Name::Rsa2048Sha512, Rs512, (8, 251)),
            (Name::Rsa3072Sha256, Rs256, (8, 251)),
            (Name::Rsa3072Sha384, Rs384, (7, 252)),
            (Name::Rsa3072Sha512, Rs512, (8, 252)),
            (Name::Rsa4096Sha256, Rs256, (7, 251)),
            (Name::Rsa4096Sha384, Rs384, (7, 252)),
            (Name::Rsa4096Sha512, Rs512, (7, 252)),
        ] {
            let mut counts = (0, 0);
            for group in TestSet::load(set).unwrap().test_groups {
                let key = rsa(&group.key.n, &group.key.e);
                for test in group.tests {
                    let right = test.result == TestResult::Valid;
                    let name = format!("{set:?} {}: {}", test.tc_id, test.comment);
                    judge(&mut counts, &key, algorithm, &test.msg, &test.sig, right, &name);
                }
            }
            assert_eq!(counts, expected, "{set:?}");
        }
    }

    /// RFC 7518, section 3.5: the same hash for the mask, and a salt as long.
    fn parameters(algorithm: JwtAlgorithm) -> (HashFunction, Option<HashFunction>, usize) {
        let (hash, salt) = match algorithm {
            Ps256 => (Sha2_256, 32),
            Ps384 => (Sha2_384, 48),
            _ => (Sha2_512, 64),
        };
        (hash, Some(hash), salt)
    }

    #[test]
    fn rsa_with_pss() {
        use rsa_pss_verify::{TestName as Name, TestSet};
        for (set, algorithm, expected) in [
            (Name::RsaPss2048Sha256Mgf1SaltLen32, Ps256, (63, 45)),
            (Name::RsaPss3072Sha256Mgf1SaltLen32, Ps256, (63, 45)),
            (Name::RsaPss4096Sha256Mgf1SaltLen32, Ps256, (63, 45)),
            (Name::RsaPss2048Sha384Mgf1SaltLen48, Ps384, (95, 46)),
            (Name::RsaPss4096Sha384Mgf1SaltLen48, Ps384, (95, 46)),
            (Name::RsaPss4096Sha512Mgf1SaltLen64, Ps512, (132, 47)),
            (Name::RsaPss2048Sha256Mgf1SaltLen0, Ps256, (1, 102)),
            (Name::RsaPss2048Sha256Mgf1Sha1_20, Ps256, (0, 108)),
            (Name::RsaPss4096Sha512Mgf1SaltLen32, Ps512, (0, 177)),
            (Name::RsaPssmisc, Ps256, (1, 149)),
            (Name::RsaPssmisc, Ps384, (1, 149)),
            (Name::RsaPssmisc, Ps512, (1, 149)),
        ] {
            let mut counts = (0, 0);
            for group in TestSet::load(set).unwrap().test_groups {
                let key = rsa(&group.key.n, &group.key.e);
                let fits = (group.hash, group.mgf_hash, group.salt_size) == parameters(algorithm);
                for test in group.tests {
                    let made_to_fit =
                        set == Name::RsaPss2048Sha256Mgf1SaltLen0 && test.comment == "s_len changed to 32";
                    let right = made_to_fit || fits && test.result == TestResult::Valid;
                    let name = format!("{set:?} {}: {}", test.tc_id, test.comment);
                    judge(&mut counts, &key, algorithm, &test.msg, &test.sig, right, &name);
                }
            }
            assert_eq!(counts, expected, "{set:?}");
        }
    }

    /// In the form of X.509 and with another hash, none is right (RFC 7518, section 3.4).
    #[test]
    fn ecdsa() {
        use ecdsa::{TestName as Name, TestSet};
        for (set, algorithm, curve, fits, expected) in [
            (Name::EcdsaSecp256r1Sha256P1363, Es256, "P-256", true, (173, 89)),
            (Name::EcdsaSecp384r1Sha384P1363, Es384, "P-384", true, (193, 87)),
            (Name::EcdsaSecp256r1Sha256, Es256, "P-256", false, (0, 484)),
            (Name::EcdsaSecp384r1Sha384, Es384, "P-384", false, (0, 504)),
            (Name::EcdsaSecp256r1Sha512P1363, Es256, "P-256", false, (0, 332)),
            (Name::EcdsaSecp384r1Sha512P1363, Es384, "P-384", false, (0, 318)),
        ] {
            let mut counts = (0, 0);
            for group in TestSet::load(set).unwrap().test_groups {
                let (x, y) = group.key.key[1..].split_at(group.key.key.len() / 2);
                let key = key(&json!({ "kty": "EC", "crv": curve, "x": text(x), "y": text(y) }));
                for test in group.tests {
                    let right = fits && test.result == TestResult::Valid;
                    let name = format!("{set:?} {}: {}", test.tc_id, test.comment);
                    judge(&mut counts, &key, algorithm, &test.msg, &test.sig, right, &name);
                }
            }
            assert_eq!(counts, expected, "{set:?}");
        }
    }

    #[test]
    fn ed25519() {
        use eddsa::{TestName as Name, TestSet};
        let mut counts = (0, 0);
        for group in TestSet::load(Name::Ed25519).unwrap().test_groups {
            let key = key(&json!({ "kty": "OKP", "crv": "Ed25519", "x": text(&group.key.pk) }));
            for test in group.tests {
                let right = test.result == TestResult::Valid;
                let name = format!("{}: {}", test.tc_id, test.comment);
                judge(&mut counts, &key, EdDsa, &test.msg, &test.sig, right, &name);
            }
        }
        assert_eq!(counts, (88, 63));
    }

    /// Shortened ones are wrong, and so are those of secrets that are too short (RFC 7518, section 3.2).
    #[test]
    fn hmac() {
        use mac::{TestName as Name, TestSet};
        for (set, algorithm, bits, expected) in [
            (Name::HmacSha256, Hs256, 256, (30, 144)),
            (Name::HmacSha384, Hs384, 384, (30, 144)),
            (Name::HmacSha512, Hs512, 512, (30, 144)),
        ] {
            let mut counts = (0, 0);
            for group in TestSet::load(set).unwrap().test_groups {
                let fits = group.key_size >= bits && group.tag_size == bits;
                for test in group.tests {
                    let (key, right) = (Key::secret(&test.key).unwrap(), fits && test.result == TestResult::Valid);
                    let name = format!("{set:?} {}: {}", test.tc_id, test.comment);
                    judge(&mut counts, &key, algorithm, &test.msg, &test.tag, right, &name);
                }
            }
            assert_eq!(counts, expected, "{set:?}");
        }
    }
}
