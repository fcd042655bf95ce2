//! Logins and sessions by `axum-login`, rights by a policy: `cargo run --example session`.

use std::{collections::HashMap, convert::Infallible, error::Error};

use axum::{
    Form, Router,
    http::StatusCode,
    response::{Html, IntoResponse, Redirect},
    routing::get,
};
use axum_login::{AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend};
use tower_authz::{AuthzLayer, Policy, Principal, authn, policy::Grant, respond::Responder};
use tower_sessions::{MemoryStore, SessionManagerLayer};

mod support;

#[derive(Clone, Debug)]
struct User {
    name: &'static str,
    roles: &'static [&'static str],
}

impl AuthUser for User {
    type Id = String;

    fn id(&self) -> String {
        self.name.to_owned()
    }

    fn session_auth_hash(&self) -> &[u8] {
        self.name.as_bytes()
    }
}

/// Whose password is their name. A real one asks a database, and compares hashes.
#[derive(Clone)]
struct Users;

impl Users {
    const ALL: [User; 2] = [User { name: "ada", roles: &["admin"] }, User { name: "vera", roles: &[] }];

    fn find(name: &str) -> Option<User> {
        Self::ALL.into_iter().find(|user| user.name == name)
    }
}

impl AuthnBackend for Users {
    type User = User;
    type Credentials = HashMap<String, String>;
    type Error = Infallible;

    async fn authenticate(&self, form: Self::Credentials) -> Result<Option<User>, Infallible> {
        let name = form.get("name").filter(|name| form.get("password") == Some(name));
        Ok(name.and_then(|name| Self::find(name)))
    }

    async fn get_user(&self, name: &String) -> Result<Option<User>, Infallible> {
        Ok(Self::find(name))
    }
}

type Session = AuthSession<Users>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let policy = Policy::builder()
        .role("admin", |role| role)
        .route("GET /", Grant::authenticated())
        .route("GET,POST /login", Grant::public("who logs in is not known yet"))
        .route("GET /admin", "admin")
        .build()?;
    let authz = AuthzLayer::builder(policy)
        .authenticator(authn::from_extension(|session: &Session| {
            session.user.as_ref().map(|user| Principal::new(user.name).roles(user.roles))
        }))
        .responder(Responder::new().login_redirect("/login"))
        .build()?;
    let router = Router::new()
        .route("/", get(|me: Principal| async move { format!("hello, {}\n", me.subject()) }))
        .route("/login", get(|| async { Html(FORM) }).post(login))
        .route("/admin", get(|| async { "the engine room\n" }));
    // Cookies of this example travel over plain HTTP.
    let sessions = SessionManagerLayer::new(MemoryStore::default()).with_secure(false);
    let app = authz.protect(router).layer(AuthManagerLayerBuilder::new(Users, sessions).build());

    let (listener, base) = support::listen("127.0.0.1:3000").await?;
    let (ada, vera) = ("-b target/ada.cookies", "-b target/vera.cookies");
    for (method, path, options, status) in [
        ("GET", "/", "", 401),
        ("GET", "/", "-H 'Accept: text/html'", 303),
        ("POST", "/login", "-d 'name=ada&password=wrong'", 403),
        ("POST", "/login", "-d 'name=ada&password=ada' -c target/ada.cookies", 303),
        ("GET", "/", ada, 200),
        ("GET", "/admin", ada, 200),
        ("POST", "/login", "-d 'name=vera&password=vera' -c target/vera.cookies", 303),
        ("GET", "/", vera, 200),
        ("GET", "/admin", vera, 403),
    ] {
        support::curl(method, &format!("{base}{path}"), options, status);
    }
    support::log_decisions();
    axum::serve(listener, app.into_make_service()).await?;
    Ok(())
}

const FORM: &str = r#"<form method="post"><input name="name"><input name="password" type="password"><button>"#;

async fn login(mut session: Session, Form(form): Form<HashMap<String, String>>) -> impl IntoResponse {
    match session.authenticate(form).await {
        Ok(Some(user)) if session.login(&user).await.is_ok() => Redirect::to("/").into_response(),
        Ok(None) => (StatusCode::FORBIDDEN, "wrong name or password\n").into_response(),
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
