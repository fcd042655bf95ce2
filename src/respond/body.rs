//! Bodies: problem documents, plain text and minimal pages.

use bytes::Bytes;
use http::StatusCode;
use serde_json::Value;

use super::negotiate::Format;
use crate::decision::{Denial, Reason};

/// Every sentence that is shown where the policy has no message, with the status it goes with.
const SENTENCES: [(StatusCode, &str); 10] = [
    (StatusCode::BAD_REQUEST, "The request cannot be understood."),
    (StatusCode::BAD_REQUEST, "The request has more than one set of credentials."),
    (StatusCode::UNAUTHORIZED, "Authentication is required."),
    (StatusCode::UNAUTHORIZED, "The credentials are not valid."),
    (StatusCode::UNAUTHORIZED, "A stronger or more recent authentication is required."),
    (StatusCode::FORBIDDEN, "Access is denied."),
    (StatusCode::NOT_FOUND, "There is nothing here."),
    (StatusCode::METHOD_NOT_ALLOWED, "The method is not supported here."),
    (StatusCode::SERVICE_UNAVAILABLE, "Who is calling cannot be found out now. Try again later."),
    (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong."),
];

/// What a body says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content<'a> {
    status: StatusCode,
    detail: &'a str,
    /// The denial whose names are told.
    disclosed: Option<&'a Denial>,
}

impl<'a> Content<'a> {
    pub(super) fn new(denial: &'a Denial, disclose: bool) -> Self {
        let status = denial.status();
        let about_rights = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        let message = denial.get_message().filter(|_| about_rights);
        let detail = message.unwrap_or_else(|| sentence(status, denial.reason()));
        Self { status, detail, disclosed: Some(denial).filter(|_| disclose && status == StatusCode::FORBIDDEN) }
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

fn sentence(status: StatusCode, reason: Reason) -> &'static str {
    let place = match reason {
        Reason::AmbiguousCredentials | Reason::InvalidCredentials => 1,
        Reason::StepUpRequired => 2,
        _ => 0,
    };
    let of_status = || SENTENCES.iter().filter(|(of, _)| *of == status);
    of_status().nth(place).or_else(|| of_status().next()).map_or("Access is denied.", |(_, sentence)| sentence)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// The bodies that do not depend on the request.
#[derive(Debug)]
pub(super) struct Bodies {
    ready: Vec<(StatusCode, &'static str, Format, Bytes)>,
}

impl Bodies {
    pub(super) fn new() -> Self {
        let every = SENTENCES.iter().flat_map(|sentence| Format::ALL.map(|format| (sentence, format)));
        let ready = every.map(|(&(status, detail), format)| {
            let body = Content { status, detail, disclosed: None }.render(format);
            (status, detail, format, body.into())
        });
        Self { ready: ready.collect() }
    }

    pub(super) fn get(&self, content: &Content<'_>, format: Format) -> Bytes {
        let fits = |status, detail, of| status == content.status && detail == content.detail && of == format;
        let ready = self.ready.iter().find(|(status, detail, of, _)| fits(*status, *detail, *of));
        match ready.filter(|_| content.disclosed.is_none()) {
            Some((.., body)) => body.clone(),
            None => content.render(format).into(),
        }
    }
}
