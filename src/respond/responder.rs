//! How denials are answered, as the application chooses it.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::Response;

use super::{login::Login, preferences::Preferences, renderer::Renderer};
use crate::{challenge::Challenge, decision::Denial, target::Head};

pub(super) type Custom = dyn Fn(&Denial, &Preferences<'_>) -> Response<Bytes> + Send + Sync;
pub(super) type NotFound = dyn Fn(&Preferences<'_>) -> Response<Bytes> + Send + Sync;

/// How denied requests are answered.
///
/// Whatever is chosen here, every answer has `Cache-Control: no-store` unless it says otherwise itself, every 401 has
/// a `WWW-Authenticate` header, and a masked denial is answered exactly like a path that no key matches.
///
/// ```
/// use tower_authz::respond::Responder;
///
/// let responder = Responder::new().login_redirect("/login").disclose(true);
/// # let _ = responder;
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Responder {
    pub(super) login: Option<Arc<Login>>,
    pub(super) custom: Option<Arc<Custom>>,
    pub(super) not_found: Option<Arc<NotFound>>,
    pub(super) disclose: bool,
}

impl Responder {
    /// Problem documents (RFC 9457), plain text or minimal HTML, as the request prefers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends browsers to a login page instead of answering 401.
    ///
    /// A `GET` or `HEAD` navigation is answered `303 See Other` to `location`, with the path and query of the request
    /// as its parameter `next`. A request of htmx keeps its 401 and gets the header `HX-Redirect`, with the path and
    /// query of the page it came from. Others get the usual answer. `next` always begins with exactly one `/`, so it
    /// cannot lead to another origin; it is left off where it would. Parameters of the query that hold
    /// [credentials](crate::Authenticator::credential_parameters) are left out of it.
    pub fn login_redirect(self, location: &str) -> Self {
        Self { login: Some(Arc::new(Login::new(location))), ..self }
    }

    /// Makes every answer with `render`, those to gRPC calls included ([`Preferences::is_grpc`]).
    ///
    /// A masked denial is handed over as what it pretends to be, without anything that could tell the difference.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::Response;
    /// use tower_authz::respond::Responder;
    ///
    /// let responder = Responder::new().custom(|denial, _preferences| {
    ///     let mut response = Response::new(Bytes::from_static(b"no"));
    ///     *response.status_mut() = denial.status();
    ///     response
    /// });
    /// # let _ = responder;
    /// ```
    pub fn custom(self, render: impl Fn(&Denial, &Preferences<'_>) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        Self { custom: Some(Arc::new(render)), ..self }
    }

    /// Answers paths that no key matches, and masked routes alike, with the application's own 404.
    ///
    /// It comes before [`Responder::custom`]. gRPC calls are answered in their own terms regardless.
    pub fn not_found(self, render: impl Fn(&Preferences<'_>) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        Self { not_found: Some(Arc::new(render)), ..self }
    }

    /// Whether answers name the roles and permissions that a caller lacks, and carry the challenge
    /// `insufficient_scope` (RFC 6750, section 3.1). Off by default.
    pub fn disclose(self, disclose: bool) -> Self {
        Self { disclose, ..self }
    }

    /// The very answer that a layer with these `challenges` would give to a denied request; `realm` is given to those
    /// that have none. A layer prepares its answers when it is built: this is for tools, not for serving.
    ///
    /// ```
    /// use tower_authz::{Challenge, Denial, Head, respond::Responder};
    ///
    /// let request = http::Request::get("/me").body(()).unwrap();
    /// let ways = vec![Challenge::bearer()];
    /// let answer = Responder::new().answer(&Denial::unauthenticated(), Head::from(&request), ways, Some("billing"));
    /// assert_eq!(answer.headers()["www-authenticate"], r#"Bearer realm="billing""#);
    /// ```
    pub fn answer(
        &self,
        denial: &Denial,
        head: Head<'_>,
        challenges: Vec<Challenge>,
        realm: Option<&str>,
    ) -> Response<Bytes> {
        let renderer = Renderer::new(self.clone(), challenges, realm);
        renderer.render(denial, &renderer.preferences(head))
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder")
            .field("login", &self.login)
            .field("custom", &self.custom.is_some())
            .field("not_found", &self.not_found.is_some())
            .field("disclose", &self.disclose)
            .finish()
    }
}
