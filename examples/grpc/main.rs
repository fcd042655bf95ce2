//! A tonic server behind a policy: `cargo run --example grpc --features tonic`.
//!
//! `billing.rs` is what `tonic-build` makes of the service `billing.Invoices`.

use std::error::Error;

use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, async_trait, transport::Server};
use tower_authz::{AuthzLayer, Policy, Principal, authn};

use billing::invoices_server::{Invoices, InvoicesServer};

#[expect(warnings, reason = "generated")]
mod billing;
#[path = "../support/mod.rs"]
mod support;

const POLICY: &str = r#"{
    "version": 1,
    "roles": { "viewer": {}, "admin": { "inherits": ["viewer"] } },
    "routes": {
        "POST /billing.Invoices/Show": "viewer",
        "POST /billing.Invoices/Delete": { "allow": "admin", "message": "Only an admin may delete invoices." }
    }
}"#;

/// Denials do not wait for a message.
const EMPTY_MESSAGE: &str = r"printf '\0\0\0\0\0' | ";
const OPTIONS: &str = "--http2-prior-knowledge -o /dev/null -D -";

#[derive(Clone, PartialEq, prost::Message)]
struct InvoiceId {
    #[prost(uint64, tag = "1")]
    id: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Invoice {
    #[prost(string, tag = "1")]
    text: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Deleted {}

struct Billing;

#[async_trait]
impl Invoices for Billing {
    async fn show(&self, request: Request<InvoiceId>) -> Result<Response<Invoice>, Status> {
        let caller = request.extensions().get::<Principal>().map_or("nobody", Principal::subject);
        let text = format!("invoice {} for {caller}", request.get_ref().id);
        Ok(Response::new(Invoice { text }))
    }

    async fn delete(&self, _: Request<InvoiceId>) -> Result<Response<Deleted>, Status> {
        Ok(Response::new(Deleted {}))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let authz = AuthzLayer::builder(Policy::from_json_str(POLICY)?)
        .authenticator(authn::from_fn(|head| match head.headers().get("x-api-key")?.as_bytes() {
            b"viewer-key" => Some(Principal::new("vera").roles(["viewer"])),
            b"admin-key" => Some(Principal::new("ada").roles(["admin"])),
            _ => None,
        }))
        .build()?;

    let (listener, base) = support::listen("127.0.0.1:3000").await?;
    println!("grpc-status is 0 where a call is answered, 16 for 401, 7 for 403, 12 for 404\n");
    for (method, key, status) in [
        ("Show", "", 16),
        ("Show", "viewer", 0),
        ("Delete", "viewer", 7),
        ("Delete", "admin", 0),
        ("Rename", "admin", 12),
    ] {
        let key = if key.is_empty() { String::new() } else { format!("-H 'x-api-key: {key}-key' ") };
        let (input, body) = if status == 0 { (EMPTY_MESSAGE, "--data-binary @- ") } else { ("", "") };
        let options = format!("{key}-H 'content-type: application/grpc' -H 'te: trailers' {body}{OPTIONS}");
        print!("{input}");
        support::curl(
            "POST",
            &format!("{base}/billing.Invoices/{method}"),
            &options,
            format!("200, grpc-status: {status}"),
        );
    }
    support::log_decisions();
    let service = InvoicesServer::new(Billing);
    Server::builder().layer(authz).add_service(service).serve_with_incoming(TcpIncoming::from(listener)).await?;
    Ok(())
}
