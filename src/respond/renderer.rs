//! From a denial to its answer.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::{
    body::{Content, Prepared},
    challenges::Challenges,
    grpc::{self, is_grpc},
    login::Visit,
    preferences::{Preferences, every_accept},
    responder::Responder,
};
use crate::{
    challenge::Challenge,
    decision::{Denial, Reason},
    target::Head,
};

/// After how many seconds clients should try again where nobody knows better.
const RETRY_AFTER_SECONDS: u64 = 5;

/// Answers denials as a [`Responder`] says; made once, when the layer is built.
#[derive(Debug)]
pub(crate) struct Renderer {
    responder: Responder,
    challenges: Challenges,
    prepared: Prepared,
    /// Parameters of queries that no answer repeats.
    credential_parameters: Vec<String>,
}

impl Default for Renderer {
    fn default() -> Self {
        Self::new(Responder::default(), Vec::new(), None)
    }
}

impl Renderer {
    /// Answers with `challenges`, which are given `realm` where they have none.
    pub(crate) fn new(responder: Responder, challenges: Vec<Challenge>, realm: Option<&str>) -> Self {
        let challenges = Challenges::new(challenges, realm);
        Self { responder, prepared: prepare(&challenges), challenges, credential_parameters: Vec::new() }
    }

    /// Leaves these parameters of queries out of its answers.
    pub(crate) fn without_parameters(self, credential_parameters: Vec<String>) -> Self {
        Self { credential_parameters, ..self }
    }

    /// What the answer to a request depends on.
    pub(crate) fn preferences<'a>(&self, head: Head<'a>) -> Preferences<'a> {
        let content_type = head.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        let visit = self.visit(head).map(Cow::Owned);
        Preferences::new(head.method(), is_grpc(content_type), every_accept(head.headers()), visit)
    }

    /// What a visit to the login page would be made from; nothing where there is no such page.
    #[inline]
    pub(crate) fn visit(&self, head: Head<'_>) -> Option<Visit> {
        if self.responder.login.is_some() { Visit::new(head) } else { None }
    }

    /// Whether answers to such requests have no other headers than problem documents have.
    pub(crate) fn is_usual(&self, preferences: &Preferences<'_>) -> bool {
        let Responder { login, custom, not_found, disclose: _ } = &self.responder;
        login.is_none() && custom.is_none() && not_found.is_none() && !preferences.is_grpc()
    }

    /// The answer to a denied request.
    pub(crate) fn render(&self, denial: &Denial, preferences: &Preferences<'_>) -> Response<Bytes> {
        match denial.status() {
            StatusCode::NOT_FOUND => self.missing(preferences),
            StatusCode::METHOD_NOT_ALLOWED => self.answer(&denial.as_method_not_listed(), preferences),
            _ => self.answer(denial, preferences),
        }
    }

    /// The one way to a 404, masked or not: it sees nothing of the denial, so it cannot tell the two apart.
    fn missing(&self, preferences: &Preferences<'_>) -> Response<Bytes> {
        let denial = Denial::new(Reason::NotListed);
        match self.responder.not_found.as_deref().filter(|_| !preferences.is_grpc()) {
            Some(render) => self.completed(render(preferences), &denial, preferences),
            None => self.answer(&denial, preferences),
        }
    }

    fn answer(&self, denial: &Denial, preferences: &Preferences<'_>) -> Response<Bytes> {
        match self.responder.custom.as_deref() {
            Some(render) => self.completed(render(denial, preferences), denial, preferences),
            None if preferences.is_grpc() => self.completed(self.grpc(denial), denial, preferences),
            None => match self.redirect(denial, preferences) {
                Some(redirect) => self.completed(redirect, denial, preferences),
                None => self.negotiated(denial, preferences),
            },
        }
    }

    fn grpc(&self, denial: &Denial) -> Response<Bytes> {
        let mut response = grpc::answer(denial.status(), Content::new(denial, self.responder.disclose).detail());
        self.challenges.add(response.headers_mut(), denial.status(), denial, self.responder.disclose);
        response
    }

    fn redirect(&self, denial: &Denial, preferences: &Preferences<'_>) -> Option<Response<Bytes>> {
        let login = self.responder.login.as_deref().filter(|_| denial.status() == StatusCode::UNAUTHORIZED)?;
        let mut response = login.see_other(preferences, &self.credential_parameters)?;
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
        Some(response)
    }

    fn negotiated(&self, denial: &Denial, preferences: &Preferences<'_>) -> Response<Bytes> {
        let content = Content::new(denial, self.responder.disclose);
        let status = denial.status();
        let add = |headers: &mut HeaderMap| self.challenges.add(headers, status, denial, self.responder.disclose);
        let mut response = self.prepared.answer(&content, preferences.format(), add);
        let headers = response.headers_mut();
        match (status, denial.reason()) {
            (StatusCode::UNAUTHORIZED, reason) => {
                if reason == Reason::StepUpRequired && !headers.contains_key(header::WWW_AUTHENTICATE) {
                    add(headers);
                }
                if let Some(login) = self.responder.login.as_deref() {
                    login.redirect_htmx(preferences, &self.credential_parameters, headers);
                }
            }
            (StatusCode::METHOD_NOT_ALLOWED, _) => {
                let allow = denial.allow().and_then(|methods| HeaderValue::from_str(methods).ok());
                headers.insert(header::ALLOW, allow.unwrap_or_else(|| HeaderValue::from_static("")));
            }
            (StatusCode::SERVICE_UNAVAILABLE, _) => {
                let seconds = denial.retry_after().map_or(RETRY_AFTER_SECONDS, whole_seconds);
                headers.insert(header::RETRY_AFTER, seconds.into());
            }
            _ => {}
        }
        cut_for_head(&mut response, preferences);
        response
    }

    /// What every answer has, whoever made it: `no-store`, a challenge on a 401, and no body for `HEAD`.
    fn completed(
        &self,
        mut response: Response<Bytes>,
        denial: &Denial,
        preferences: &Preferences<'_>,
    ) -> Response<Bytes> {
        let unchallenged =
            response.status() == StatusCode::UNAUTHORIZED && !response.headers().contains_key(header::WWW_AUTHENTICATE);
        let length = response.body().len();
        let headers = response.headers_mut();
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        if unchallenged {
            self.challenges.add(headers, StatusCode::UNAUTHORIZED, denial, self.responder.disclose);
        }
        if length > 0 {
            headers.insert(header::CONTENT_LENGTH, length.into());
        }
        cut_for_head(&mut response, preferences);
        response
    }
}

fn cut_for_head(response: &mut Response<Bytes>, preferences: &Preferences<'_>) {
    if preferences.is_head() {
        response.body_mut().clear();
    }
}

/// The challenges that denials of `reason` have whatever they are about: those of a step-up say which.
fn prepare(challenges: &Challenges) -> Prepared {
    Prepared::new(|headers, reason| {
        if reason != Reason::StepUpRequired {
            challenges.add(headers, reason.status(), &Denial::new(reason), false);
        }
    })
}

/// Rounded up, and never none.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0)).max(1)
}
