//! Invariant 7: every 401 has challenges that a third party reads back, and nothing that is sent or logged holds a
//! secret.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use http::{Request, header};
use http_auth::parser::ChallengeParser;
use proptest::{prelude::*, sample::select};
use tower_authz::{AuthzLayer, Challenge, authn::Client, respond::Responder};
use tracing::{Level, subscriber::with_default};

use super::{
    arbitrary, convert,
    gate::{self, Answer, Told, ask, http_request},
    listening::listen_everywhere,
    naive::{self, Identity},
    property::holds,
};

const SECRET: &str = "s3cr3t";

const WAYS_IN: [&[&str]; 4] = [&[], &["Bearer"], &["Bearer", "Session"], &["DPoP", "Key"]];

#[test]
fn every_401_has_the_challenges_of_all_ways_in_as_they_were_meant() {
    let cases = (arbitrary::sieges(), "\\PC{0,12}|[ -~]{1,12}", select(&WAYS_IN[..]));
    holds("invariant 7, challenges", 256, &cases, |((mut document, siege), realm, schemes)| {
        let mut unauthorized = 0;
        if !realm.trim().is_empty() {
            document["realm"] = realm.clone().into();
        }
        let Ok(policy) = tower_authz::Policy::from_json_str(&document.to_string()) else { return Ok(0) };
        let challenges: Vec<_> = schemes.iter().map(|scheme| Challenge::new(scheme).param("key", "a\"b\\c")).collect();
        for (request, _) in siege {
            let request = gate::outside_of_routers(request);
            let Some(sent) = http_request(&request) else { continue };
            let mut builder =
                AuthzLayer::builder(policy.clone()).authenticator(Told(challenges.clone())).client(Client::peer());
            for name in request.checks.keys() {
                builder = builder.check(name.as_str(), |_| false);
            }
            let answer = ask(&builder.build().unwrap(), sent);
            if answer.status == 401 {
                unauthorized += 1;
                let read = read_back(&answer);
                let expected: &[&str] = if schemes.is_empty() { &["Session"] } else { schemes };
                prop_assert_eq!(read.iter().map(|(scheme, _)| scheme.as_str()).collect::<Vec<_>>(), expected);
                for (_, params) in &read {
                    let param =
                        |wanted: &str| params.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
                    prop_assert_eq!(param("realm"), Some(&*as_realm(&document)));
                    prop_assert_eq!(param("key"), (!schemes.is_empty()).then_some("a\"b\\c"));
                }
            }
        }
        Ok(unauthorized)
    });
}

#[test]
fn no_answer_and_no_line_of_a_log_holds_a_secret() {
    holds("invariant 7, secrets", 256, &(arbitrary::sieges(), any::<bool>()), |((document, siege), disclose)| {
        let (policy, mut asked) = (gate::load(&document), 0);
        for (request, _) in siege {
            let request = gate::outside_of_routers(request);
            let Some(sent) = http_request(&request).and_then(|sent| with_secrets(sent, &request)) else { continue };
            let mut builder = AuthzLayer::builder(policy.clone())
                .authenticator(Told(vec![Challenge::bearer()]))
                .client(Client::peer())
                .responder(Responder::new().disclose(disclose));
            for name in request.checks.keys() {
                builder = builder.check(name.as_str(), |_| false);
            }
            let log = Log::default();
            let writer = log.clone();
            let subscriber =
                tracing_subscriber::fmt().with_max_level(Level::TRACE).with_writer(move || writer.clone()).finish();
            listen_everywhere();
            let answer = with_default(subscriber, || ask(&builder.build().unwrap(), sent));
            let log = log.text();
            prop_assert!(log.contains("access "), "nothing was logged: {log}");
            prop_assert!(!log.contains(SECRET), "{log}");
            prop_assert!(!format!("{answer:?}").contains(SECRET), "{answer:?}");
            prop_assert!(!String::from_utf8_lossy(&answer.body).contains(SECRET), "{answer:?}");
            asked += 1;
        }
        Ok(asked)
    });
}

/// What a challenge can say of the realm of a policy; `api` where there is none.
fn as_realm(document: &serde_json::Value) -> String {
    let printable = |realm: &str| realm.chars().filter(|c| matches!(c, ' '..='~')).collect();
    document["realm"].as_str().map_or_else(|| "api".to_owned(), printable)
}

/// One challenge a line, each with its parameters.
fn read_back(answer: &Answer) -> Vec<(String, Vec<(String, String)>)> {
    let read = |line: &str| {
        let mut challenges = ChallengeParser::new(line);
        let challenge = challenges.next().unwrap().unwrap();
        assert!(challenges.next().is_none(), "two challenges in {line:?}");
        let params = challenge.params.iter().map(|(name, value)| ((*name).to_owned(), value.to_unescaped()));
        (challenge.scheme.to_owned(), params.collect())
    };
    answer.header("www-authenticate").map(read).collect()
}

/// Secrets wherever a client or an authenticator keeps them.
fn with_secrets(mut sent: Request<()>, request: &naive::Request) -> Option<Request<()>> {
    *sent.uri_mut() = format!("{}?token={SECRET}", request.path).parse().ok()?;
    for name in [header::AUTHORIZATION, header::COOKIE, header::REFERER, header::PROXY_AUTHORIZATION] {
        sent.headers_mut().insert(name, format!("Bearer {SECRET}").parse().ok()?);
    }
    sent.headers_mut().insert("x-api-key", SECRET.parse().ok()?);
    let identity = match request.identity.clone() {
        Identity::Authenticated(mut principal) => {
            for claim in ["jti", "at_hash", "email", "plan", "sub"] {
                principal.claims.insert(claim.to_owned(), SECRET.into());
            }
            Identity::Authenticated(principal)
        }
        other => other,
    };
    sent.extensions_mut().insert(convert::identity(&identity));
    Some(sent)
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
