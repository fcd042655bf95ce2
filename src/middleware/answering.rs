//! Answering denials: our own, and those that come back from inside.

use std::{
    borrow::Cow,
    future::Future,
    mem,
    net::IpAddr,
    pin::Pin,
    sync::{Arc, LazyLock},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, header};

use super::{
    body::DenialBody,
    context::{Audience, is_like_missing},
};
use crate::{
    decision::{Denial, Mask},
    identity::Identity,
    policy::{Revision, unusable},
    report::{Event, Reporter, TracingReporter, preflight},
    respond::{Preferences, Renderer, Visit, every_accept, is_grpc, is_usual},
    target::{Head, Target, Texts},
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
    pub(crate) method: Cow<'static, Method>,
    pub(crate) identity: Identity,
    pub(crate) client: Option<IpAddr>,
    /// Of the policy that the request is judged by, if there is one.
    pub(crate) revision: Option<Revision>,
    hint: Option<&'static str>,
    is_grpc: bool,
    visit: Option<Box<Visit>>,
    /// The path as the client sent it, the `Accept` header and the id of the request.
    texts: Texts<3>,
}

/// What the headers tell, found in one walk: they are few, and looking each up costs more. Of several with one name
/// the first counts, as for the services inside.
#[derive(Default)]
struct Noted<'a> {
    /// How many `Accept` headers there are.
    accepts: usize,
    accept: &'a [u8],
    content_type: &'a [u8],
    request_id: &'a [u8],
}

impl<'a> Noted<'a> {
    #[inline]
    fn by(headers: &'a HeaderMap) -> Self {
        let mut told = Self::default();
        for (name, value) in headers {
            if *name == header::ACCEPT {
                told.accepts += 1;
                told.accept = value.as_bytes();
            } else if *name == header::CONTENT_TYPE && told.content_type.is_empty() {
                told.content_type = value.as_bytes();
            } else if *name == X_REQUEST_ID && told.request_id.is_empty() {
                told.request_id = value.as_bytes();
            }
        }
        told
    }
}

/// A denial in the extensions of a response, for the gates outside.
#[derive(Clone, Debug)]
struct Returned {
    denial: Denial,
    /// The headers with which it was answered, where they are not the usual ones.
    headers: Option<Box<HeaderMap>>,
}

/// A method that is kept without a copy where it is a usual one.
#[inline]
fn kept(method: &Method) -> Cow<'static, Method> {
    static USUAL: [Method; 6] = [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD];
    let usual = USUAL.iter().find(|usual| *usual == method);
    usual.map_or_else(|| Cow::Owned(method.clone()), Cow::Borrowed)
}

impl Sender {
    /// Somebody of whom nothing is known yet, to be put where it stays: this is large to be moved.
    #[inline]
    pub(crate) fn unknown() -> Self {
        Self {
            method: kept(&Method::GET),
            identity: Identity::Anonymous,
            client: None,
            hint: None,
            is_grpc: false,
            visit: None,
            revision: None,
            texts: Texts::default(),
        }
    }

    /// The one who sent a request that no gate judges.
    #[inline]
    pub(crate) fn of(identity: Identity, head: Head<'_>, renderer: &Renderer) -> Self {
        let mut sender = Self::unknown();
        sender.identity = identity;
        sender.note(head, &Target::from(head), renderer);
        sender
    }

    /// Takes down what the request tells.
    #[inline(always)]
    pub(crate) fn note(&mut self, head: Head<'_>, target: &Target<'_>, renderer: &Renderer) {
        self.method = kept(head.method());
        self.hint = preflight(head);
        self.visit = renderer.visit(head).map(Box::new);
        let path = target.original.unwrap_or(target.path).as_bytes();
        let Noted { accepts, accept, content_type, request_id } = Noted::by(head.headers());
        self.is_grpc = is_grpc(content_type);
        if accepts > 1 {
            self.texts.keep([path, &every_accept(head.headers()), request_id]);
        } else {
            self.texts.keep([path, accept, request_id]);
        }
    }

    pub(crate) fn path(&self) -> &[u8] {
        self.texts.bytes(0)
    }

    fn preferences(&self) -> Preferences<'_> {
        let visit = self.visit.as_deref().map(Cow::Borrowed);
        Preferences::new(&self.method, self.is_grpc, self.texts.bytes(1).into(), visit)
    }

    /// A path that no key matches tells bad credentials before anything else, so a masked route that a public rule
    /// leads to must do the same.
    fn as_if_missing(&self, denial: Denial) -> Denial {
        let unusable = if denial.mask() == Mask::Missing { unusable(&self.identity) } else { None };
        unusable.unwrap_or(denial)
    }

    /// An event about this request.
    pub(crate) fn event<'a>(&'a self, event: Event<'a>) -> Event<'a> {
        event
            .with_principal(self.identity.principal())
            .with_client(self.client)
            .with_request_id(Some(self.texts.bytes(2)).filter(|id| !id.is_empty()))
            .with_revision(self.revision.as_ref().map(Revision::digits).unwrap_or_default())
    }

    pub(crate) fn denied<'a>(&'a self, denial: &'a Denial) -> Event<'a> {
        self.event(Event::denied(denial, &self.method, self.path())).with_hint(self.hint)
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
    pub(crate) fn deny(&self, mut denial: Denial, sender: &Sender, audience: Audience) -> Response<Bytes> {
        let preferences = sender.preferences();
        let mut answer = self.renderer.render(&denial, &preferences);
        if !mem::replace(&mut denial.reported, true) {
            self.reporter.report(&sender.denied(&denial).with_status(answer.status()));
        }
        if audience.has_gates(denial.status()) {
            self.carry(&mut answer, denial, &preferences);
        } else {
            tell(&mut answer, denial);
        }
        answer
    }

    /// Answers a denial that a layer outside will report and answer again.
    pub(crate) fn pass_outside(&self, denial: Denial, sender: &Sender) -> Response<Bytes> {
        self.carrying(denial, &sender.preferences())
    }

    /// An answer that carries the denial to the gates outside.
    fn carrying(&self, denial: Denial, preferences: &Preferences<'_>) -> Response<Bytes> {
        let mut answer = self.renderer.render(&denial, preferences);
        self.carry(&mut answer, denial, preferences);
        answer
    }

    fn carry(&self, answer: &mut Response<Bytes>, denial: Denial, preferences: &Preferences<'_>) {
        let headers = if self.renderer.is_usual(preferences) { None } else { Some(Box::new(answer.headers().clone())) };
        answer.extensions_mut().insert(Returned { denial, headers });
    }

    /// The response of a service inside; one that carries a denial is answered once more, as this layer answers.
    #[inline]
    pub(crate) fn poll_inside<F, R, E>(
        &self,
        inner: Pin<&mut F>,
        cx: &mut Context<'_>,
        sender: &Sender,
        audience: Audience,
    ) -> Poll<F::Output>
    where
        F: Future<Output = Result<Response<R>, E>>,
        R: DenialBody,
    {
        let mut polled = inner.poll(cx);
        if let Poll::Ready(Ok(response)) = &mut polled
            && let Some(returned) = response.extensions_mut().remove::<Returned>()
        {
            *response = self.answer_again(response.headers(), returned, sender, audience).map(R::from_denial);
        }
        polled
    }

    #[cold]
    fn answer_again(
        &self,
        added: &HeaderMap,
        Returned { denial, headers }: Returned,
        sender: &Sender,
        audience: Audience,
    ) -> Response<Bytes> {
        let denial = sender.as_if_missing(denial);
        let is_like_missing = is_like_missing(denial.status());
        let mut answer = self.deny(denial, sender, audience);
        if !is_like_missing {
            keep_foreign_headers(added, headers.as_deref(), answer.headers_mut());
        }
        answer
    }

    pub(crate) fn report_waived(&self, denial: &Denial, sender: &Sender) {
        self.reporter.report(&sender.denied(denial).report_only());
    }
}

/// What layers inside have added to a denied response stays, but nothing that the denial itself was answered with,
/// and nothing that speaks of its body or its status.
fn keep_foreign_headers(old: &HeaderMap, own: Option<&HeaderMap>, answer: &mut HeaderMap) {
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
    let is_own = |name: &HeaderName, value: &HeaderValue| match own {
        Some(own) => own.get_all(name).iter().any(|own| own == value),
        None => is_usual(name, value),
    };
    for (name, value) in old {
        if !OF_THE_ANSWER.contains(name) && !is_own(name, value) {
            answer.append(name, value.clone());
        }
    }
}

/// The denial that a response carries.
#[cfg(feature = "testing")]
pub(crate) fn denial_in(extensions: &http::Extensions) -> Option<&Denial> {
    let returned = extensions.get::<Returned>().map(|returned| &returned.denial);
    returned.or_else(|| extensions.get::<SentDenial>().map(|sent| &sent.0))
}

/// A denial that went to the client, for the assertions of an application's tests.
#[cfg(feature = "testing")]
#[derive(Clone, Debug)]
struct SentDenial(Denial);

#[cfg(feature = "testing")]
fn tell(answer: &mut Response<Bytes>, denial: Denial) {
    answer.extensions_mut().insert(SentDenial(denial));
}

#[cfg(not(feature = "testing"))]
fn tell(_: &mut Response<Bytes>, _: Denial) {}

/// Reports a denial where no layer outside is known to do so.
#[cfg(feature = "axum")]
pub(crate) fn report_at_once(denial: Denial, head: Head<'_>) -> Denial {
    let answering = Answering::standalone();
    let sender = Sender::of(Identity::Anonymous, head, &answering.renderer);
    answering.reporter.report(&sender.denied(&denial));
    Denial { reported: true, ..denial }
}

/// The answer to a denial where no layer is there to render it: complete and safe by itself. A layer outside
/// answers again.
#[cfg(feature = "axum")]
pub(crate) fn default_answer(denial: Denial) -> Response<Bytes> {
    Answering::standalone().carrying(denial, &Preferences::default())
}
