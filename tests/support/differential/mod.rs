//! Differential fuzzing against axum itself.
//!
//! Bytes choose a policy, an application of some shape that has a handler for every key of it, a way to attach the
//! layer, what stands before it, and requests as raw bytes. Every request is sent to the application alone and to the
//! guarded one. If the one alone answers with the handler of a key, the guarded one must deny every caller without the
//! right to that key; and a caller with the right must not be denied on a plain path. The oracle knows which key a
//! handler was written for, and reads no path.
#![allow(dead_code, reason = "tests and fuzz targets use parts of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of a test may fail it"
)]

mod bytes;
mod files;
mod outside;
mod reading;
mod shape;
mod table;
mod target;
mod wire;

use std::fmt;

use tower_authz::{AuthzLayer, Head, Policy, Principal};

use self::{
    bytes::Bytes,
    outside::Outside,
    shape::{ATTACHES, Attach, Builder, Node},
    table::{CALLERS, Caller, Table},
    target::{Ask, fill},
    wire::Answer,
};

/// What was looked at.
#[derive(Clone, Copy, Debug, Default)]
#[allow(unreachable_pub, reason = "the fuzz targets report it")]
pub struct Tally {
    /// Requests of one caller, judged in both services.
    pub cases: u64,
    /// Those in which the service alone answered with a handler that the caller has no right to.
    pub kept_out: u64,
    /// Those in which a caller with the right asked for a plain path.
    pub let_in: u64,
    pub http2: u64,
    /// Policies that do not load.
    pub refused: u64,
    pub tables: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.cases += other.cases;
        self.kept_out += other.kept_out;
        self.let_in += other.let_in;
        self.http2 += other.http2;
        self.refused += other.refused;
        self.tables += other.tables;
    }
}

/// A way around the layer, or a caller who is kept out by mistake.
pub(crate) struct Finding {
    what: &'static str,
    ask: Ask,
    caller: Caller,
    alone: Answer,
    guarded: Option<Answer>,
    policy: String,
    stack: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} {}", self.what, self.ask.method, self.ask.target.escape_ascii())?;
        writeln!(f, "  as {:?}", self.caller.credentials)?;
        writeln!(f, "  alone   {:?}\n  guarded {:?}", self.alone, self.guarded)?;
        writeln!(f, "  policy  {}\n  {}", self.policy, self.stack)
    }
}

/// Runs the case that `bytes` choose on the runtime of the caller, or on one of its own.
pub(crate) async fn run(bytes: &[u8]) -> Result<Tally, Box<Finding>> {
    let mut bytes = Bytes(bytes);
    let case = Case::of(&mut bytes);
    case.run(&mut bytes).await
}

struct Case {
    table: Table,
    node: Node,
    attach: Attach,
    outside: Outside,
}

impl Case {
    fn of(bytes: &mut Bytes<'_>) -> Self {
        let table = Table::of(bytes);
        let node = Node::of(&table, bytes);
        let attach = bytes.pick(ATTACHES);
        let some = table.routes.get(bytes.below(table.routes.len())).map_or("/", |route| &route.pattern);
        let outside = Outside::of(&fill(some, |_| "q7".to_owned()), bytes);
        // axum takes one of two slashes behind a prefix, so a gate inside cannot tell that a layer has put both there.
        let has_empty = table.routes.iter().any(|route| route.pattern.contains("//"));
        let outside = if has_empty && outside.rewrites() { Outside::Nothing } else { outside };
        Self { table, node, attach, outside }
    }

    async fn run(&self, bytes: &mut Bytes<'_>) -> Result<Tally, Box<Finding>> {
        let prefix = self.outside.prefix();
        let document = self.table.document(prefix);
        let mut tally = Tally { tables: 1, ..Tally::default() };
        let Ok(policy) = Policy::from_json_str(&document) else {
            tally.refused = 1;
            return Ok(tally);
        };
        let layer = AuthzLayer::builder(policy).authenticator(by_header).build().unwrap();
        let app = |guard| self.outside.before(Builder { table: &self.table, guard }.app(&self.node));
        let (alone, guarded) = (app(None), app(Some((self.attach, &layer))));
        let mut patterns: Vec<&str> = self.table.routes.iter().map(|route| &*route.pattern).collect();
        patterns.push("/alias");
        let over_http2 = bytes.one_in(16);
        let asks: Vec<Ask> = (0..if over_http2 { 12 } else { 48 }).map(|_| Ask::of(prefix, &patterns, bytes)).collect();
        let first = bytes.below(CALLERS.len());
        let callers = [0, 2, 4].map(|step| CALLERS[(first + step + usize::from(step == 4)) % CALLERS.len()]);
        let expected = if over_http2 {
            wire::http2(&alone, &asks, CALLERS[0]).await
        } else {
            wire::http1(&alone, &asks, CALLERS[0]).await
        };
        for caller in callers {
            let answers = if over_http2 {
                wire::http2(&guarded, &asks, caller).await
            } else {
                wire::http1(&guarded, &asks, caller).await
            };
            for ((ask, alone), guarded) in asks.iter().zip(&expected).zip(answers) {
                tally.cases += 1;
                tally.http2 += u64::from(over_http2);
                let Some(alone) = alone else { continue };
                if let Some(what) = self.judge(ask, caller, alone, guarded.as_ref(), &mut tally) {
                    return Err(Box::new(Finding {
                        what,
                        ask: ask.clone(),
                        caller,
                        alone: alone.clone(),
                        guarded,
                        policy: document.clone(),
                        stack: format!("{:?}, {:?}, {:?}", self.outside, self.attach, self.node),
                    }));
                }
            }
        }
        Ok(tally)
    }

    fn judge(
        &self,
        ask: &Ask,
        caller: Caller,
        alone: &Answer,
        guarded: Option<&Answer>,
        tally: &mut Tally,
    ) -> Option<&'static str> {
        if !self.table.knows(alone) || guarded.is_some_and(|answer| !self.table.knows(answer)) {
            return None;
        }
        let has_right = |answer: &Answer| self.table.permits(answer, ask.method, caller);
        let may_have_right = |answer: &Answer| self.table.permits_for_nothing(answer, ask.method, caller);
        if guarded.is_some_and(|answer| !has_right(answer) && !may_have_right(answer)) {
            return Some("let in without the right");
        }
        let route = alone.route?;
        if !has_right(alone) {
            if may_have_right(alone) {
                return None;
            }
            tally.kept_out += 1;
            let denied = guarded.is_some_and(|answer| (400..500).contains(&answer.status));
            return (!denied).then_some("not denied without the right");
        }
        let is_clean = |byte: &u8| byte.is_ascii_alphanumeric() || b"/.~-_,".contains(byte);
        // What axum says of a route in a fallback within two nests lacks the prefix of the inner one, and so is another key.
        let is_told = !matches!(self.outside, Outside::NestService(_)) || !self.attach.is_inside();
        let plain =
            ask.plain.as_deref().filter(|_| is_told && self.outside.is_honest() && ask.target.iter().all(is_clean));
        let is_only = |path: &str| {
            let same = alone.path.as_deref().is_none_or(|seen| seen == path);
            // Nor does axum tell the prefix of a nest whose fallback a router is.
            let is_told = !self.attach.is_inside() || !self.table.ends_in_another_key(route);
            let alone = self.table.leaves_alone(route, path) && !self.table.appends_to_owner(route);
            same && is_told && alone && !path.contains("//")
        };
        if plain.is_some_and(is_only) {
            tally.let_in += 1;
            return (guarded != Some(alone)).then_some("kept out on the plain path");
        }
        None
    }
}

/// Believes the header `authorization: SUBJECT ROLE …`.
fn by_header(head: Head<'_>) -> Option<Principal> {
    let mut words = head.headers().get("authorization")?.to_str().ok()?.split(' ');
    Some(Principal::new(words.next()?).roles(words))
}
