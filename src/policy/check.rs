//! Predicates that the application registers by name for grants with `check`.

use std::{
    collections::HashMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use http::Method;

use crate::principal::Principal;

type Predicate = Arc<dyn Fn(&CheckContext<'_>) -> bool + Send + Sync>;

/// What a predicate may look at. It answers at once and does no I/O.
#[derive(Clone, Copy, Debug)]
pub struct CheckContext<'a> {
    pub(crate) principal: &'a Principal,
    pub(crate) method: &'a Method,
    pub(crate) route: &'a str,
    pub(crate) params: &'a [(&'a str, Option<&'a str>)],
}

impl<'a> CheckContext<'a> {
    /// Who is calling.
    pub fn principal(&self) -> &'a Principal {
        self.principal
    }

    /// The method of the request.
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// The path of the route key, such as `/users/{id}`.
    pub fn route(&self) -> &'a str {
        self.route
    }

    /// A path parameter, percent-decoded once; none if it is no parameter of the key or no UTF-8.
    pub fn param(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.params.iter().find(|(other, _)| *other == name)?;
        *value
    }
}

/// The registered predicates.
#[derive(Clone, Default)]
pub(crate) struct Checks(HashMap<Box<str>, Predicate>);

/// What a predicate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckOutcome {
    True,
    /// It said no, or it is not registered.
    False,
    Panicked,
}

impl Checks {
    pub(crate) fn register(
        &mut self,
        name: impl Into<String>,
        predicate: impl Fn(&CheckContext<'_>) -> bool + Send + Sync + 'static,
    ) {
        self.0.insert(name.into().into(), Arc::new(predicate));
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn ask(&self, name: &str, context: &CheckContext<'_>) -> CheckOutcome {
        let Some(predicate) = self.0.get(name) else { return CheckOutcome::False };
        match catch_unwind(AssertUnwindSafe(|| predicate(context))) {
            Ok(true) => CheckOutcome::True,
            Ok(false) => CheckOutcome::False,
            Err(_) => CheckOutcome::Panicked,
        }
    }
}

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
