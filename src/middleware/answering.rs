//! Answering denials: our own, and those that come back from inside.

use std::{
    mem,
    net::IpAddr,
    sync::{Arc, LazyLock},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Response, StatusCode, header};

use super::body::DenialBody;
use crate::{
    decision::{Denial, Mask},
    policy::Compiled,
    principal::Principal,
    report::{Event, Reporter, TracingReporter, preflight},
    respond::{Preferences, Renderer},
    target::{Head, Kept},
};

/// Paths and request ids up to these lengths are kept without allocating.
const MOST_PATH: usize = 192;
const MOST_REQUEST_ID: usize = 64;

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
    /// The path as the client sent it.
    pub(crate) path: Kept<MOST_PATH>,
    pub(crate) preferences: Preferences,
    pub(crate) principal: Option<Principal>,
    pub(crate) client: Option<IpAddr>,
    pub(crate) request_id: Option<Kept<MOST_REQUEST_ID>>,
    pub(crate) hint: Option<&'static str>,
    pub(crate) policy: Option<Arc<Compiled>>,
    /// What the credentials deserve where they are neither good nor absent, and a public rule let the request in.
    pub(crate) unusable: Option<Box<Denial>>,
}

/// A denial in the extensions of a response, for the gates outside.
#[derive(Clone, Debug)]
struct Returned {
    denial: Denial,
    /// The headers with which it was answered.
    headers: HeaderMap,
}

impl Sender {
    pub(crate) fn new(head: Head<'_>, renderer: &Renderer) -> Self {
        Self {
            method: head.method().clone(),
            path: Kept::new(head.original_uri().path()),
            preferences: renderer.preferences(head),
            principal: None,
            client: None,
            request_id: head.headers().get(X_REQUEST_ID).and_then(|id| id.to_str().ok()).map(Kept::new),
            hint: preflight(head),
            policy: None,
            unusable: None,
        }
    }

    /// A path that no key matches tells bad credentials before anything else, so a masked route that a public rule
    /// leads to must do the same.
    fn as_if_missing(&self, denial: Denial) -> Denial {
        match &self.unusable {
            Some(unusable) if denial.mask() == Mask::Missing => Denial::clone(unusable),
            _ => denial,
        }
    }

    pub(crate) fn event<'a>(&'a self, event: Event<'a>) -> Event<'a> {
        event
            .with_principal(self.principal.as_ref())
            .with_client(self.client)
            .with_request_id(self.request_id.as_ref().map(Kept::as_str))
            .with_revision(self.policy.as_ref().map_or("", |policy| &policy.revision))
    }

    pub(crate) fn denied<'a>(&'a self, denial: &'a Denial) -> Event<'a> {
        self.event(Event::denied(denial, &self.method, self.path.as_str())).with_hint(self.hint)
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

    /// Answers a denial, and reports it if nobody has.
    pub(crate) fn deny(&self, mut denial: Denial, sender: &Sender) -> Response<Bytes> {
        let answer = self.renderer.render(&denial, &sender.preferences);
        if !mem::replace(&mut denial.reported, true) {
            self.reporter.report(&sender.denied(&denial).with_status(answer.status()));
        }
        with_denial(answer, denial)
    }

    /// Answers a denial that a layer outside will report and answer again.
    pub(crate) fn pass_outside(&self, denial: Denial, sender: &Sender) -> Response<Bytes> {
        with_denial(self.renderer.render(&denial, &sender.preferences), denial)
    }

    /// Answers a response that carries a denial once more, as this layer answers.
    pub(crate) fn revise<R: DenialBody>(&self, mut response: Response<R>, sender: &Sender) -> Response<R> {
        let Some(Returned { denial, headers }) = response.extensions_mut().remove::<Returned>() else {
            return response;
        };
        let denial = sender.as_if_missing(denial);
        let is_like_missing = matches!(denial.status(), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
        let mut answer = self.deny(denial, sender);
        if !is_like_missing {
            keep_foreign_headers(response.headers(), &headers, answer.headers_mut());
        }
        answer.map(R::from_denial)
    }

    pub(crate) fn report_waived(&self, denial: &Denial, sender: &Sender) {
        self.reporter.report(&sender.denied(denial).report_only());
    }
}

/// What layers inside have added to a denied response stays, but nothing that the denial itself was answered with,
/// and nothing that speaks of its body or its status.
fn keep_foreign_headers(old: &HeaderMap, own: &HeaderMap, answer: &mut HeaderMap) {
    const OF_THE_ANSWER: [HeaderName; 13] = [
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
    for (name, value) in old {
        if !OF_THE_ANSWER.contains(name) && own.get_all(name).iter().all(|own| own != value) {
            answer.append(name, value.clone());
        }
    }
}

fn with_denial(mut answer: Response<Bytes>, denial: Denial) -> Response<Bytes> {
    let headers = answer.headers().clone();
    answer.extensions_mut().insert(Returned { denial, headers });
    answer
}

/// The denial that a response carries.
#[cfg(feature = "testing")]
pub(crate) fn denial_in(extensions: &http::Extensions) -> Option<&Denial> {
    extensions.get::<Returned>().map(|returned| &returned.denial)
}

/// Reports a denial where no layer outside is known to do so.
#[cfg(feature = "axum")]
pub(crate) fn report_at_once(denial: Denial, head: Head<'_>) -> Denial {
    let answering = Answering::standalone();
    answering.reporter.report(&Sender::new(head, &answering.renderer).denied(&denial));
    Denial { reported: true, ..denial }
}

/// The answer to a denial where no layer is there to render it: complete and safe by itself. A layer outside
/// answers again.
#[cfg(feature = "axum")]
pub(crate) fn default_answer(denial: Denial) -> Response<Bytes> {
    let answer = Answering::standalone().renderer.render(&denial, &Preferences::default());
    with_denial(answer, denial)
}
