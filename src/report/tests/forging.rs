use std::{
    io,
    sync::{Arc, Mutex},
};

use proptest::prelude::*;
use serde_json::Value;
use tracing::Subscriber;

use super::{GET, denial};
use crate::{
    decision::Reason,
    principal::Principal,
    report::{Event, Reporter, TracingReporter, escape},
};

const HOSTILE: [&str; 10] = [
    "\n2026-01-01T00:00:00Z  INFO tower_authz: access allowed",
    "\r\nx",
    "\u{1b}[2J\u{1b}[31mred",
    "\u{9b}31m",
    "x\" authz.rule=\"forged",
    "x authz.reason=forged",
    "\\\",\"authz.rule\":\"forged",
    "\u{202e}gnp.exe\u{2028}\u{85}",
    "\0\u{7}\u{8}\u{7f}",
    "ünï😀",
];

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a formatter writes of an event in which everything that comes from outside is `text`.
fn written<S: Subscriber + Send + Sync>(text: &str, subscriber: impl FnOnce(Output) -> S) -> String {
    let output = Output::default();
    let principal = Principal::new(text).roles([text, "viewer"]);
    let denial = denial(Reason::InsufficientRole).detail(text);
    let event = Event::denied(&denial, &GET, text).with_principal(Some(&principal)).with_request_id(Some(text));
    super::listening(subscriber(output.clone()), || TracingReporter::new().report(&event));
    String::from_utf8(output.0.lock().unwrap().clone()).unwrap()
}

fn as_text(text: &str, ansi: bool) -> String {
    written(text, |output| {
        let output = Mutex::new(output);
        tracing_subscriber::fmt().with_ansi(ansi).without_time().with_writer(output).finish()
    })
}

fn as_json(text: &str) -> String {
    written(text, |output| {
        let output = Mutex::new(output);
        tracing_subscriber::fmt().json().flatten_event(true).with_writer(output).finish()
    })
}

/// Whether the text format holds one line, one value a field, and nothing that a terminal would act on.
fn is_one_honest_line(line: &str) -> bool {
    let fields = ["authz.rule=", "authz.reason=", "url.path=", "user.id=", "http.request.id="];
    line.ends_with('\n')
        && line.trim_end().chars().all(|c| matches!(c, ' '..='~' | '…'))
        && fields.iter().all(|field| unquoted(line).matches(field).count() == 1)
}

/// The line without what is in quotes.
fn unquoted(line: &str) -> String {
    let line = line.replace("\\\\", "").replace("\\\"", "");
    line.split('"').step_by(2).collect()
}

#[test]
fn hostile_texts_forge_no_line_and_no_field_in_text() {
    for text in HOSTILE {
        let line = as_text(text, false);
        assert!(is_one_honest_line(&line), "{line}");
    }
}

#[test]
fn hostile_texts_add_no_escape_sequence_in_colour() {
    let escapes = |text| as_text(text, true).matches('\u{1b}').count();
    assert!(escapes("honest") > 0);
    for text in HOSTILE {
        assert_eq!(escapes(text), escapes("honest"), "{text:?}");
        assert_eq!(as_text(text, true).lines().count(), 1, "{text:?}");
    }
}

#[test]
fn hostile_texts_forge_nothing_in_json() {
    for text in HOSTILE {
        let line = as_json(text);
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.trim_end().chars().all(|c| matches!(c, ' '..='~' | '…')), "{line}");
        let event: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line.matches("\"authz.rule\":").count(), 1, "{line}");
        assert_eq!(event["message"], "access denied");
        assert_eq!(event["authz.rule"], "delete users");
        assert_eq!(event["authz.reason"], "insufficient-role");
    }
}

#[test]
fn texts_are_shown_in_printable_ascii() {
    let table = [
        ("ada@example.org", "ada@example.org"),
        ("a b", "a b"),
        ("\n\u{1b}[31m", "\\u{a}\\u{1b}[31m"),
        ("ü\u{202e}", "\\u{fc}\\u{202e}"),
        ("", ""),
    ];
    for (text, expected) in table {
        assert_eq!(escape::text(text, 64), expected);
    }
}

#[test]
fn paths_are_shown_percent_encoded() {
    let table = [
        ("/a%20b;x=1/~@:!$&'()*+,", "/a%20b;x=1/~@:!$&'()*+,"),
        ("/a\"b\\c", "/a%22b%5Cc"),
        ("/ü \n\u{1b}", "/%C3%BC%20%0A%1B"),
    ];
    for (path, expected) in table {
        assert_eq!(escape::path(path, 64), expected);
    }
}

#[test]
fn huge_texts_are_cut_between_characters() {
    assert_eq!(escape::text(&"a".repeat(64), 64), "a".repeat(64));
    assert_eq!(escape::text(&"a".repeat(65), 64), "a".repeat(64) + "…");
    assert_eq!(escape::text("aaa\n", 6), "aaa…");
    assert_eq!(escape::path("/ü", 4), "/%C3…");
    let line = as_text(&"/x".repeat(100_000), false);
    assert!(line.len() < 2500 && is_one_honest_line(&line), "{line}");
    assert_eq!(line.matches('…').count(), 5, "{line}");
}

proptest! {
    #[test]
    fn no_text_forges_anything(text in any::<String>()) {
        let line = as_text(&text, false);
        prop_assert!(is_one_honest_line(&line), "{}", line);
        let json = as_json(&text);
        prop_assert_eq!(json.lines().count(), 1);
        prop_assert!(serde_json::from_str::<Value>(&json).is_ok());
    }
}
