//! Serves any tower service on a real listener.

use std::{convert::Infallible, net::SocketAddr};

use axum::{body::Body, extract::ConnectInfo};
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tower::{Service, ServiceExt};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Serves `app` in the background with HTTP/1 and HTTP/2, as long as the runtime lives.
pub(crate) async fn serve<S, B>(app: S) -> SocketAddr
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            tokio::spawn(connection(app.clone(), stream, peer));
        }
    });
    address
}

async fn connection<S, B>(app: S, stream: TcpStream, peer: SocketAddr)
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let app = app.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.map(Body::new)
    });
    let mut server = Builder::new(TokioExecutor::new());
    server.http2().enable_connect_protocol();
    let _closed_by_the_client =
        server.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(app)).await;
}
