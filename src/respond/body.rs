//! Bodies: problem documents, plain text and minimal pages.

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::Value;

use super::negotiate::Format;
use crate::decision::{Denial, Reason};

/// Every sentence that is shown where the policy has no message, with a reason it goes with.
const SENTENCES: [(Reason, &str); 10] = [
    (Reason::PathRejected, "The request cannot be understood."),
    (Reason::AmbiguousCredentials, "The request has more than one set of credentials."),
    (Reason::NoCredentials, "Authentication is required."),
    (Reason::InvalidCredentials, "The credentials are not valid."),
    (Reason::StepUpRequired, "A stronger or more recent authentication is required."),
    (Reason::ConditionFailed, "Access is denied."),
    (Reason::NotListed, "There is nothing here."),
    (Reason::MethodNotListed, "The method is not supported here."),
    (Reason::AuthenticatorUnavailable, "Who is calling cannot be found out now. Try again later."),
    (Reason::InternalError, "Something went wrong."),
];

/// The place among [`SENTENCES`] of the one that goes with a reason.
fn place(reason: Reason) -> usize {
    match reason {
        Reason::PathRejected => 0,
        Reason::AmbiguousCredentials => 1,
        Reason::NoCredentials => 2,
        Reason::InvalidCredentials => 3,
        Reason::StepUpRequired => 4,
        Reason::ConditionFailed
        | Reason::DeniedByRule
        | Reason::ConflictingRoles
        | Reason::InsufficientPermission
        | Reason::InsufficientRole => 5,
        Reason::NotListed => 6,
        Reason::MethodNotListed => 7,
        Reason::AuthenticatorUnavailable => 8,
        Reason::InternalError => 9,
    }
}

/// What a body says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content<'a> {
    status: StatusCode,
    /// The place of the sentence among [`SENTENCES`]; nothing for a message of the policy.
    place: Option<usize>,
    detail: &'a str,
    /// The denial whose names are told.
    disclosed: Option<&'a Denial>,
}

impl<'a> Content<'a> {
    pub(super) fn new(denial: &'a Denial, disclose: bool) -> Self {
        let status = denial.status();
        let about_rights = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        let message = denial.get_message().filter(|_| about_rights);
        let (place, detail) = match message {
            Some(message) => (None, message),
            None => sentence(status, denial.reason()),
        };
        let disclosed = Some(denial).filter(|_| disclose && status == StatusCode::FORBIDDEN);
        Self { status, place, detail, disclosed }
    }

    /// The sentence that says it.
    pub(super) fn detail(&self) -> &'a str {
        self.detail
    }

    fn title(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("Denied")
    }

    fn required(&self) -> Option<&'a str> {
        self.disclosed?.required()
    }

    fn missing(&self) -> Vec<&'a str> {
        self.disclosed.into_iter().flat_map(Denial::missing).collect()
    }

    fn render(&self, format: Format) -> String {
        match format {
            Format::Problem => self.problem(),
            Format::Html => self.html(),
            Format::Text => self.text(),
        }
    }

    /// RFC 9457, section 3; what is disclosed are extension members.
    fn problem(&self) -> String {
        let missing = Some(self.missing()).filter(|missing| !missing.is_empty());
        let members = [
            ("type", Some(Value::from("about:blank"))),
            ("title", Some(Value::from(self.title()))),
            ("status", Some(Value::from(self.status.as_u16()))),
            ("detail", Some(Value::from(self.detail))),
            ("required", self.required().map(Value::from)),
            ("missing", missing.map(Value::from)),
        ];
        let members = members.into_iter().filter_map(|(name, value)| Some(format!(r#""{name}":{}"#, value?)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }

    fn text(&self) -> String {
        self.lines().join("\n") + "\n"
    }

    fn html(&self) -> String {
        let title = format!("{} {}", self.status.as_u16(), self.title());
        let lines = escape(&self.lines().join("\n")).replace('\n', "<br>\n");
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
             <body>\n<h1>{title}</h1>\n<p>{lines}</p>\n</body>\n</html>\n"
        )
    }

    fn lines(&self) -> Vec<String> {
        let required = self.required().map(|required| format!("Required: {required}"));
        let missing = Some(self.missing()).filter(|missing| !missing.is_empty());
        let missing = missing.map(|missing| format!("Missing: {}", missing.join(", ")));
        [Some(self.detail.to_owned()), required, missing].into_iter().flatten().collect()
    }
}

/// The sentence of a reason, or else the first that goes with the status, and its place.
fn sentence(status: StatusCode, reason: Reason) -> (Option<usize>, &'static str) {
    let goes_with = |(of, _): &(Reason, &str)| of.status() == status;
    let own = place(reason);
    let place = match SENTENCES.get(own) {
        Some(sentence) if goes_with(sentence) => Some(own),
        _ => SENTENCES.iter().position(goes_with),
    };
    let sentence = place.and_then(|place| SENTENCES.get(place));
    (place, sentence.map_or("Access is denied.", |(_, sentence)| sentence))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// A sentence as a body, and how long that is.
struct Text {
    body: String,
    length: String,
}

/// Every sentence in each format: written once for all layers, so that no references to it need be counted.
static TEXTS: LazyLock<Vec<[Text; Format::ALL.len()]>> = LazyLock::new(|| {
    let write = |&(reason, detail): &(Reason, &'static str)| {
        let content = Content { status: reason.status(), place: None, detail, disclosed: None };
        Format::ALL.map(|format| {
            let body = content.render(format);
            Text { length: body.len().to_string(), body }
        })
    };
    SENTENCES.iter().map(write).collect()
});

/// The answers that do not depend on the request, whole: who is refused often is refused cheaply.
#[derive(Debug)]
pub(super) struct Prepared {
    /// For each sentence, in each format.
    answers: Vec<[Response<Bytes>; Format::ALL.len()]>,
}

impl Prepared {
    /// Prepares an answer to each sentence in each format; `add` adds the challenges that the reason deserves.
    pub(super) fn new(add: impl Fn(&mut HeaderMap, Reason)) -> Self {
        let prepare = |(&(reason, _), texts): (&(Reason, &str), &'static [Text; Format::ALL.len()])| {
            let mut texts = texts.iter();
            Format::ALL.map(|format| {
                let (body, length) = texts.next().map_or(("", "0"), |text| (&*text.body, &*text.length));
                let length = HeaderValue::from_static(length);
                let body = Bytes::from_static(body.as_bytes());
                answer(reason.status(), format, body, length, |headers| add(headers, reason))
            })
        };
        Self { answers: SENTENCES.iter().zip(&*TEXTS).map(prepare).collect() }
    }

    /// The answer that says `content`; `add` adds the challenges where none was prepared.
    #[inline]
    pub(super) fn answer(
        &self,
        content: &Content<'_>,
        format: Format,
        add: impl Fn(&mut HeaderMap),
    ) -> Response<Bytes> {
        if let Some(answer) = self.find(content, format) {
            return answer.clone();
        }
        let body = Bytes::from(content.render(format));
        let length = body.len().into();
        answer(content.status, format, body, length, add)
    }

    fn find(&self, content: &Content<'_>, format: Format) -> Option<&Response<Bytes>> {
        let place = content.place.filter(|_| content.disclosed.is_none())?;
        self.answers.get(place)?.get(format as usize)
    }
}

/// The request headers that answers depend on.
const VARY: &str = "accept";

/// Whether a header is one that answers have beside those which speak of their body or their status.
pub(crate) fn is_usual(name: &HeaderName, value: &HeaderValue) -> bool {
    name == header::VARY && value == VARY
}

fn answer(
    status: StatusCode,
    format: Format,
    body: Bytes,
    length: HeaderValue,
    add: impl Fn(&mut HeaderMap),
) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert(header::VARY, HeaderValue::from_static(VARY));
    add(headers);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_LENGTH, length);
    response
}
