//! Whom we believe to be who they say they are.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};

/// TLS by aws-lc-rs, named rather than found: the process may have no default provider, or another one.
///
/// The roots are those of the system, and `extra` ones in PEM.
pub(super) fn config(extra: &[Vec<u8>]) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for pem in extra {
        add(&mut roots, pem)?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let versions = builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}

fn add(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), String> {
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| format!("the root certificates cannot be read: {error}"))?;
        roots.add(certificate).map_err(|error| format!("a root certificate cannot be used: {error}"))?;
    }
    if roots.len() == before { Err("there is no root certificate in the PEM".to_owned()) } else { Ok(()) }
}
