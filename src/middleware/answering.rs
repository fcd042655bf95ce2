//! Answering denials: our own, and those that come back from inside.

use std::{
    net::IpAddr,
    sync::{Arc, LazyLock},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, Uri, header};

use super::body::DenialBody;
use crate::{
    decision::{Denial, Mask},
    policy::Compiled,
    principal::Principal,
    report::{Event, Reporter, TracingReporter, preflight},
    respond::{Preferences, Renderer},
    target::Head,
};

/// Where tower-http keeps the id of a request.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How denials are answered and reported.
#[derive(Clone)]
pub(crate) struct Answering {
    pub(crate) renderer: Arc<Renderer>,
    pub(crate) reporter: Arc<dyn Reporter>,
}

/// What of a request is kept while it is on its way, to answer and report a denial that comes back.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) preferences: Preferences,
    pub(crate) principal: Option<Principal>,
    pub(crate) client: Option<IpAddr>,
    pub(crate) request_id: Option<HeaderValue>,
    pub(crate) hint: Option<&'static str>,
    pub(crate) policy: Option<Arc<Compiled>>,
}

/// A denial in the extensions of a response, for the gates outside.
#[derive(Clone, Debug)]
struct Returned {
    denial: Denial,
    reported: bool,
}

impl Sender {
    pub(crate) fn new(head: Head<'_>, renderer: &Renderer) -> Self {
        Self {
            method: head.method().clone(),
            uri: head.uri().clone(),
            preferences: renderer.preferences(head),
            principal: None,
            client: None,
            request_id: head.headers().get(X_REQUEST_ID).cloned(),
            hint: preflight(head),
            policy: None,
        }
    }

    pub(crate) fn event<'a>(&'a self, event: Event<'a>) -> Event<'a> {
        event
            .with_principal(self.principal.as_ref())
            .with_client(self.client)
            .with_request_id(self.request_id.as_ref().and_then(|id| id.to_str().ok()))
            .with_revision(self.policy.as_ref().map_or("", |policy| &policy.revision))
    }

    pub(crate) fn denied<'a>(&'a self, denial: &'a Denial) -> Event<'a> {
        self.event(Event::denied(denial, &self.method, self.uri.path())).with_hint(self.hint)
    }
}

impl Answering {
    /// Answers as a layer does by default, for what has none outside.
    pub(crate) fn standalone() -> &'static Self {
        static STANDALONE: LazyLock<Answering> = LazyLock::new(|| Answering {
            renderer: Arc::new(Renderer::default()),
            reporter: Arc::new(TracingReporter::new()),
        });
        &STANDALONE
    }

    /// Reports a denial and answers it.
    pub(crate) fn deny(&self, denial: Denial, sender: &Sender) -> Response<Bytes> {
        let answer = self.renderer.render(&denial, &sender.preferences);
        self.reporter.report(&sender.denied(&denial).with_status(answer.status()));
        with_denial(answer, denial, true)
    }

    /// Answers a denial that a layer outside will report and answer again.
    pub(crate) fn pass_outside(&self, denial: Denial, sender: &Sender) -> Response<Bytes> {
        with_denial(self.renderer.render(&denial, &sender.preferences), denial, false)
    }

    /// Answers a response that carries a denial once more, as this layer answers, and reports it if nobody has.
    pub(crate) fn revise<R: DenialBody>(&self, mut response: Response<R>, sender: &Sender) -> Response<R> {
        let Some(Returned { denial, reported }) = response.extensions_mut().remove::<Returned>() else {
            return response;
        };
        let mut answer = self.renderer.render(&denial, &sender.preferences);
        if !reported {
            self.reporter.report(&sender.denied(&denial).with_status(answer.status()));
        }
        if denial.mask() == Mask::None {
            keep_foreign_headers(response.headers(), answer.headers_mut());
        }
        with_denial(answer, denial, true).map(R::from_denial)
    }

    pub(crate) fn report_waived(&self, denial: &Denial, sender: &Sender) {
        self.reporter.report(&sender.denied(denial).report_only());
    }
}

/// What layers inside have added to a denied response stays, but nothing that speaks of its old body or denial.
fn keep_foreign_headers(old: &HeaderMap, answer: &mut HeaderMap) {
    const OWN: [HeaderName; 13] = [
        header::ACCEPT_RANGES,
        header::ALLOW,
        header::CACHE_CONTROL,
        header::CONTENT_ENCODING,
        header::CONTENT_LENGTH,
        header::CONTENT_RANGE,
        header::CONTENT_TYPE,
        header::ETAG,
        header::LAST_MODIFIED,
        header::LOCATION,
        header::RETRY_AFTER,
        header::TRANSFER_ENCODING,
        header::WWW_AUTHENTICATE,
    ];
    let foreign = |name: &HeaderName| !OWN.contains(name) && *name != header::VARY;
    for (name, value) in old.iter().filter(|(name, _)| foreign(name)) {
        answer.append(name, value.clone());
    }
}

fn with_denial(mut answer: Response<Bytes>, denial: Denial, reported: bool) -> Response<Bytes> {
    answer.extensions_mut().insert(Returned { denial, reported });
    answer
}

/// The answer to a denial where no layer is there to render it: complete and safe by itself. A layer outside
/// answers again.
#[cfg(feature = "axum")]
pub(crate) fn default_answer(denial: Denial) -> Response<Bytes> {
    let answer = Answering::standalone().renderer.render(&denial, &Preferences::default());
    with_denial(answer, denial, false)
}
