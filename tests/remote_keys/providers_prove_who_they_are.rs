//! TLS: by roots that are trusted, for the name that was asked for, whatever the process prefers.

use std::sync::Arc;

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::PrivateKeyDer,
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

fn root() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Serves `provider` with TLS under a certificate of `root` for `name`; gives the port.
async fn serve(provider: &Provider, root: &CertifiedIssuer<'static, KeyPair>, name: &str) -> u16 {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, root).unwrap();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let (acceptor, router) = (TlsAcceptor::from(Arc::new(config)), provider.router());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Clients that do not trust us hang up.
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let service = TowerToHyperService::new(router.clone());
            tokio::spawn(async move {
                Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await
            });
        }
    });
    port
}

#[tokio::test]
async fn only_providers_with_a_certificate_for_their_name_by_a_trusted_root_are_believed() {
    let useless = CryptoProvider { cipher_suites: Vec::new(), kx_groups: Vec::new(), ..aws_lc_rs::default_provider() };
    useless.install_default().unwrap();
    let provider = Provider::with(&["a"]).await;
    let (ours, theirs) = (root(), root());
    let good = serve(&provider, &ours, "localhost").await;
    let misnamed = serve(&provider, &ours, "other.example").await;
    let bundle = format!("{}{}", theirs.pem(), ours.pem());
    let rows = [
        (good, Some(ours.pem()), Ok(())),
        (good, Some(bundle), Ok(())),
        (good, Some(theirs.pem()), Err("certificate")),
        (good, None, Err("certificate")),
        (misnamed, Some(ours.pem()), Err("certificate")),
        (provider.address.port(), Some(ours.pem()), Err("https")),
    ];
    for (port, root, expected) in rows {
        let keys = RemoteKeys::jwks(format!("https://localhost:{port}/keys"));
        let keys = root.into_iter().fold(quick(keys), RemoteKeys::root_certificates);
        let jwt = Jwt::remote("https://id.example", keys).audience("billing").build().await.unwrap();
        match (identify(&jwt, &token("https://id.example", "a")).await, expected) {
            (Identity::Authenticated(_), Ok(())) => {}
            (Identity::Unavailable(unavailable), Err(text)) => {
                let detail = unavailable.get_detail().unwrap();
                assert!(detail.contains(text), "{detail}");
            }
            (identity, _) => panic!("{identity:?}"),
        }
    }
    assert_eq!(provider.asked(), 2);
}
