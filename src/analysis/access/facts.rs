//! What access may depend on: the facts about a request that the functions have as variables.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, SystemTime},
};

use ipnet::IpNet;
use serde_json::{Number, Value};

use super::function::{Function, Functions, Variable};

/// Something that may hold of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fact {
    /// The caller is known.
    Authenticated,
    /// The caller claims this role, whether or not a policy declares it.
    Role(Arc<str>),
    /// The caller claims this permission by itself, beside those that roles give.
    Permission(Arc<str>),
    /// The caller's token limits what its roles give, and does not name this permission.
    Withheld(Arc<str>),
    /// A source of the caller's roles or permissions had the wrong shape.
    Malformed,
    /// A claim has this value, or is an array that contains it.
    Claim(Box<str>, ClaimText),
    /// The client is in this network.
    Network(IpNet),
    /// This time has come.
    Since(SystemTime),
    /// The caller authenticated at most so long ago.
    Fresh(Duration),
    /// The caller authenticated in this context class.
    Class(Box<str>),
    /// A predicate says yes.
    Check(Box<str>),
}

impl Fact {
    /// Whether this is a token that gives less than the roles of its subject.
    fn restricts(&self) -> bool {
        matches!(self, Self::Withheld(_) | Self::Malformed)
    }
}

/// The value of a claim, such that equal ones are equal to claims.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum ClaimText {
    Text(Box<str>),
    Number(Box<str>),
    Bool(bool),
}

impl ClaimText {
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text.as_str().into())),
            Value::Number(number) => Some(Self::number(number)),
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// `1.0` is the same number as `1`.
    fn number(number: &Number) -> Self {
        let text = number.to_string();
        let text = if number.is_f64() { text.strip_suffix(".0").unwrap_or(&text) } else { &text };
        Self::Number(text.into())
    }

    /// The integer that has this decimal form, if there is one.
    pub(crate) fn integer(text: &str) -> Option<Self> {
        let signed = text.parse::<i64>().ok().map(Number::from);
        let number = signed.or_else(|| text.parse::<u64>().ok().map(Number::from))?;
        (number.to_string() == text).then(|| Self::number(&number))
    }

    pub(crate) fn to_value(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(&**text),
            Self::Number(text) => text.parse::<Number>().map_or(Value::Null, Value::Number),
            Self::Bool(value) => Value::Bool(*value),
        }
    }
}

/// The facts that were met, and the functions of them.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) functions: Functions,
    met: Vec<Fact>,
    index: HashMap<Fact, Variable>,
}

impl Facts {
    /// That `fact` holds.
    pub(crate) fn holds(&mut self, fact: Fact) -> Function {
        let variable = self.variable(fact);
        self.functions.variable(variable)
    }

    /// Gives a fact its place in the order of variables.
    pub(crate) fn variable(&mut self, fact: Fact) -> Variable {
        let next = Variable(u32::try_from(self.met.len()).unwrap_or(u32::MAX));
        let variable = *self.index.entry(fact.clone()).or_insert(next);
        if variable == next {
            self.met.push(fact);
        }
        variable
    }

    pub(crate) fn fact(&self, variable: Variable) -> Option<&Fact> {
        self.met.get(usize::try_from(variable.0).ok()?)
    }

    /// The facts on which `function` depends.
    pub(crate) fn behind(&self, function: Function) -> Vec<Fact> {
        let support: BTreeSet<_> = self.functions.support(function);
        support.into_iter().filter_map(|variable| self.fact(variable).cloned()).collect()
    }

    /// The facts that hold where `function` does, as few and as plain as possible; all others do not.
    /// Nothing if it never does.
    pub(crate) fn simplest(&self, function: Function) -> Option<Vec<Fact>> {
        let cost = |variable: Variable| self.fact(variable).map_or(0, |fact| cost(fact, variable));
        let held = self.functions.cheapest(function, cost)?;
        Some(held.into_iter().filter_map(|variable| self.fact(variable).cloned()).collect())
    }

    /// `function` for callers whose token does not limit them and whose claims have the right shape.
    pub(crate) fn for_plain_callers(&mut self, function: Function) -> Function {
        let all = self.behind(function).into_iter().filter(Fact::restricts);
        let restrictions: Vec<_> = all.map(|fact| self.holds(fact)).collect();
        let restricted = self.functions.any(restrictions);
        self.functions.without(function, restricted)
    }

    /// Whether no request is such that `function` holds.
    pub(crate) fn is_impossible(&mut self, function: Function) -> bool {
        let possible = self.possible(function);
        self.functions.and(function, possible) == Function::NEVER
    }

    /// Whether every request for which `a` holds is one for which `b` holds.
    pub(crate) fn implies(&mut self, a: Function, b: Function) -> bool {
        let rest = self.functions.without(a, b);
        self.is_impossible(rest)
    }
}

/// A caller with few names is simpler than one with few conditions, and names that were met early are plainer. Callers
/// with tokens that limit them, or with malformed claims, are shown where no others differ.
fn cost(fact: &Fact, Variable(place): Variable) -> u64 {
    match fact {
        Fact::Authenticated => 1 << 40,
        Fact::Withheld(_) | Fact::Malformed => 1 << 34,
        Fact::Role(_) | Fact::Permission(_) => (1 << 24) + u64::from(place),
        _ => 1,
    }
}
