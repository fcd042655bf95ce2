//! No spelling of a path leads past the layer: whatever a client writes, if the service alone would answer it with
//! what it protects, the service behind the layer does not, unless the caller has the right.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use std::net::SocketAddr;

use support::{
    Ask,
    bypass::CONFUSING,
    serve,
    shapes::{FORMS, Form, POLICIES, SHAPES, Shape, reached},
};

macro_rules! forms {
    ($($name:ident: $form:literal,)*) => {
        $(#[tokio::test]
        async fn $name() {
            nobody_without_the_right_gets_through(form($form)).await;
        })*

        #[test]
        fn every_form_is_tried() {
            let names: Vec<_> = FORMS.iter().map(|form| form.name).collect();
            assert_eq!(names, [$($form),*]);
        }
    };
}

forms! {
    protect_hears_every_reading: "protect",
    a_layer_around_hears_every_reading: "around",
    a_layer_inside_hears_every_reading: "inside",
    a_layer_for_any_body_hears_every_reading: "any body",
    a_layer_behind_a_router_hears_every_reading: "behind a router",
    a_layer_behind_a_nest_hears_every_reading: "behind a nest",
    protect_behind_normalizing_hears_every_reading: "protect, behind NormalizePath",
    a_layer_around_behind_a_decoder_hears_every_reading: "around, behind a decoder",
    a_layer_inside_behind_a_decoder_hears_every_reading: "inside, behind a decoder",
    a_layer_behind_a_router_and_a_decoder_hears_every_reading: "behind a router and a decoder",
}

fn form(name: &str) -> &'static Form {
    FORMS.iter().find(|form| form.name == name).unwrap()
}

async fn nobody_without_the_right_gets_through(form: &Form) {
    let mut bypasses = Vec::new();
    for shape in SHAPES {
        let deceiving = deceiving(form, shape).await;
        for (policy, text) in POLICIES {
            let guarded = serve((form.attach)((shape.app)(), Some(form.layer(text)))).await;
            let admin = Ask::get(form.target(b"/admin/key")).role("admin").send(guarded).await;
            assert!(reached(&admin), "{} of {}, {policy}: {admin:?}", form.name, shape.name);
            for (class, target) in &deceiving {
                if let Some(answer) = got_through(guarded, target).await {
                    let target = target.escape_ascii();
                    bypasses.push(format!("{} of {}, {policy}: {class}: {target} {answer}", form.name, shape.name));
                }
            }
        }
    }
    assert!(bypasses.is_empty(), "{} bypasses\n{}", bypasses.len(), bypasses.join("\n"));
}

/// The targets that the service alone answers with what it protects.
async fn deceiving(form: &Form, shape: &Shape) -> Vec<(&'static str, Vec<u8>)> {
    let alone = serve((form.attach)((shape.app)(), None)).await;
    let mut deceiving = Vec::new();
    for (class, targets) in CONFUSING {
        for target in targets.iter().map(|target| form.target(target)) {
            if reached(&Ask::get(&target).send(alone).await) {
                deceiving.push((*class, target));
            }
        }
    }
    assert!(deceiving.len() >= shape.deceived, "{} of {}: only {deceiving:?}", form.name, shape.name);
    deceiving
}

/// What a caller without the right is told, where it is not a refusal.
async fn got_through(guarded: SocketAddr, target: &[u8]) -> Option<String> {
    for ask in [Ask::get(target), Ask::get(target).role("viewer")] {
        let answer = ask.send(guarded).await;
        if reached(&answer) || !answer.status.is_client_error() {
            return Some(format!("{answer:?}"));
        }
    }
    None
}
