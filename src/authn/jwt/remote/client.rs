//! Asking providers, within bounds.

use std::{fs, path::PathBuf, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, StatusCode,
    header::{ACCEPT, AUTHORIZATION, LOCATION, USER_AGENT},
};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as HttpClient, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use jiff::Timestamp;
use rustls::ClientConfig;

use super::{address::Address, freshness::retry_after, provider::Failure};

/// How long a connection is kept for the next request of the same refresh.
const KEPT_IDLE: Duration = Duration::from_secs(5);

/// Asks providers for documents.
///
/// Redirects are not followed: nobody but the operator and the metadata of the issuer says whose keys count.
#[derive(Clone, Debug)]
pub(super) struct Client {
    http: HttpClient<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    max_size: usize,
    token_file: Option<PathBuf>,
}

/// What a provider answered, with status 200.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why there is no answer to go by.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The provider has nothing there: status 404.
    NotFound,
    /// The provider cannot answer now, and may say when it can: status 429 or 503.
    Busy {
        status: StatusCode,
        retry_after: Option<Duration>,
    },
    Other(String),
}

impl Client {
    pub(super) fn new(
        tls: ClientConfig,
        connect_timeout: Duration,
        max_size: usize,
        token_file: Option<PathBuf>,
    ) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(connect_timeout));
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp);
        let mut builder = HttpClient::builder(TokioExecutor::new());
        let http = builder.pool_idle_timeout(KEPT_IDLE).pool_timer(TokioTimer::new()).build(connector);
        Self { http, max_size, token_file }
    }

    /// Asks for the document at `address`.
    pub(super) async fn get(&self, address: &Address) -> Result<Answer, NoAnswer> {
        let mut request = Request::get(address.uri())
            .header(ACCEPT, "application/json, application/jwk-set+json")
            .header(USER_AGENT, concat!("tower-authz/", env!("CARGO_PKG_VERSION")));
        if let Some(token) = self.token()? {
            request = request.header(AUTHORIZATION, token);
        }
        let request = request.body(Empty::new()).map_err(|error| NoAnswer::Other(error.to_string()))?;
        let (head, body) =
            self.http.request(request).await.map_err(|error| NoAnswer::Other(chain(&error)))?.into_parts();
        check_status(head.status, &head.headers)?;
        let body = Limited::new(body, self.max_size).collect().await.map_err(|error| {
            let too_long = error.is::<LengthLimitError>();
            NoAnswer::Other(if too_long {
                format!("the answer is longer than {} bytes", self.max_size)
            } else {
                chain(&*error)
            })
        })?;
        Ok(Answer { headers: head.headers, body: body.to_bytes() })
    }

    /// What we show the provider. The file is read each time: its token may be a short-lived one.
    fn token(&self) -> Result<Option<HeaderValue>, NoAnswer> {
        let Some(path) = &self.token_file else { return Ok(None) };
        let problem = |why: String| NoAnswer::Other(format!("the token in `{}` {why}", path.display()));
        let token = fs::read_to_string(path).map_err(|error| problem(format!("cannot be read: {error}")))?;
        let value = HeaderValue::try_from(format!("Bearer {}", token.trim()));
        let mut value = value.map_err(|_| problem("cannot be sent".to_owned()))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

impl NoAnswer {
    /// What to tell about it, and when to come again.
    pub(super) fn at(self, address: &Address) -> Failure {
        let (why, retry_after) = match self {
            Self::NotFound => ("there is nothing".to_owned(), None),
            Self::Busy { status, retry_after } => (wrong_status(status), retry_after),
            Self::Other(why) => (why, None),
        };
        Failure { why: format!("`{address}`: {why}"), retry_after }
    }
}

fn wrong_status(status: StatusCode) -> String {
    format!("it answers with status {}", status.as_u16())
}

fn check_status(status: StatusCode, headers: &HeaderMap) -> Result<(), NoAnswer> {
    match status {
        StatusCode::OK => Ok(()),
        StatusCode::NOT_FOUND => Err(NoAnswer::NotFound),
        status if status.is_redirection() => {
            let place = headers.get(LOCATION).map_or_else(String::new, |to| to.as_bytes().escape_ascii().to_string());
            Err(NoAnswer::Other(format!("it redirects to `{place}`, and redirects are not followed")))
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            Err(NoAnswer::Busy { status, retry_after: retry_after(headers, Timestamp::now()) })
        }
        status => Err(NoAnswer::Other(wrong_status(status))),
    }
}

/// An error and what it comes from: the reason is mostly at the end.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
