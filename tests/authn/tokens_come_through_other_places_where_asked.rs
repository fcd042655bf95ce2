use std::convert::Infallible;

use http::{Request, Response};
use serde_json::json;
use tower::{Layer, ServiceExt, service_fn, util::BoxCloneService};
use tower_authz::{
    AuthzLayer, Guard, Identify, Policy,
    authn::{Bearer, JwtBuilder},
    report::TracingReporter,
    respond::Responder,
};

use super::{
    identify, outcome,
    tokens::{builder, token},
};

fn everywhere() -> JwtBuilder {
    builder().also_from(Bearer::from_websocket_protocol("bearer")).also_from(Bearer::from_query("access_token"))
}

#[tokio::test]
async fn a_websocket_names_its_token_after_a_protocol() {
    let good = token(json!({}));
    let cases = [
        (vec![], "anonymous"),
        (vec!["chat.v1".to_owned()], "anonymous"),
        (vec![good.clone()], "anonymous"),
        (vec![format!("bearer, {good}")], "ada"),
        (vec![format!("bearer,{good}")], "ada"),
        (vec![format!("chat.v1, bearer, {good}, chat.v2")], "ada"),
        (vec!["chat.v1, bearer".to_owned(), format!("{good}, chat.v2")], "ada"),
        (vec![format!("{good}, bearer")], "rejected: malformed"),
        (vec!["bearer".to_owned()], "rejected: malformed"),
        (vec!["bearer, ".to_owned()], "rejected: malformed"),
        (vec![format!("bearer, chat.v1, {good}")], "rejected: malformed"),
        (vec![format!("bearer, {good}x")], "rejected: bad-signature"),
        (vec![format!("bearer, {good}, bearer, {good}")], "rejected: ambiguous"),
        (vec!["bearer, bearer".to_owned()], "rejected: malformed"),
        (vec![format!("Bearer, {good}")], "anonymous"),
        (vec![format!("bearer.{good}")], "anonymous"),
    ];
    let jwt = everywhere().build().unwrap();
    for (lines, expected) in cases {
        let request =
            lines.iter().fold(Request::get("/"), |builder, line| builder.header("sec-websocket-protocol", line));
        assert_eq!(outcome(&identify(&jwt, &request.body(()).unwrap()).await), expected, "{lines:?}");
    }
}

#[tokio::test]
async fn the_query_holds_one_token() {
    let good = token(json!({}));
    let cases = [
        (String::new(), "anonymous"),
        (format!("?access_token={good}"), "ada"),
        (format!("?page=2&access_token={good}&x"), "ada"),
        (format!("?ACCESS_TOKEN={good}"), "anonymous"),
        (format!("?x_access_token={good}"), "anonymous"),
        (format!("?x=access_token={good}"), "anonymous"),
        ("?access_token".to_owned(), "rejected: malformed"),
        ("?access_token=".to_owned(), "rejected: malformed"),
        (format!("?access_token={good}%20"), "rejected: malformed"),
        (format!("?access_token={good}&access_token={good}"), "rejected: ambiguous"),
        (format!("?access_token={good}&access_token="), "rejected: ambiguous"),
    ];
    let jwt = everywhere().build().unwrap();
    for (query, expected) in cases {
        let request = Request::get(format!("/{query}")).body(()).unwrap();
        assert_eq!(outcome(&identify(&jwt, &request).await), expected, "{query}");
    }
}

#[tokio::test]
async fn tokens_in_several_places_are_ambiguous_even_if_they_are_the_same() {
    let good = token(json!({}));
    let jwt = everywhere().build().unwrap();
    let in_header = |uri: &str| Request::get(uri).header("authorization", format!("Bearer {good}"));
    let in_query = format!("/?access_token={good}");
    let protocol = ("sec-websocket-protocol", format!("bearer, {good}"));
    let requests = [
        in_header(&in_query),
        in_header("/").header(protocol.0, &protocol.1),
        Request::get(&in_query).header(protocol.0, &protocol.1),
        in_header("/?access_token="),
    ];
    for request in requests {
        let request = request.body(()).unwrap();
        assert_eq!(outcome(&identify(&jwt, &request).await), "rejected: ambiguous", "{:?}", request.headers());
    }
    let other_scheme = Request::get(&in_query).header("authorization", "Basic eDp5").body(()).unwrap();
    assert_eq!(outcome(&identify(&jwt, &other_scheme).await), "ada");
}

#[tokio::test]
async fn no_place_is_looked_at_unasked() {
    let good = token(json!({}));
    let request =
        Request::get(format!("/?access_token={good}")).header("sec-websocket-protocol", format!("bearer, {good}"));
    assert_eq!(outcome(&identify(&builder().build().unwrap(), &request.body(()).unwrap()).await), "anonymous");
}

/// Whoever is sent to the login page comes back by an address that others log.
#[tokio::test]
async fn a_token_in_the_query_is_repeated_nowhere() {
    let policy = Policy::from_json_str(r#"{ "version": 1, "routes": { "GET /": "authenticated" } }"#).unwrap();
    let responder = || Responder::new().login_redirect("/login");
    let answer = |_: Request<()>| std::future::ready(Ok::<_, Infallible>(Response::new(String::new())));
    let layer = AuthzLayer::builder(policy).authenticator(everywhere().build().unwrap()).responder(responder());
    let identify = Identify::with(everywhere().build().unwrap(), responder(), TracingReporter::new());
    for service in [
        BoxCloneService::new(layer.build().unwrap().layer(service_fn(answer))),
        BoxCloneService::new(identify.layer(Guard::authenticated().layer(service_fn(answer)))),
    ] {
        let request = Request::get("/?page=2&access_token=x.y.z").header("accept", "text/html").body(()).unwrap();
        let response = service.oneshot(request).await.unwrap();
        assert_eq!(response.status(), 303);
        assert_eq!(response.headers()["location"], "/login?next=/%3Fpage%3D2");
    }
}
