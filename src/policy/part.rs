//! The parts of a grant, and how far a caller is from one that it does not hold.

use std::{ops::ControlFlow, sync::Arc, time::SystemTime};

use ipnet::IpNet;

use super::compiled::{ClaimTest, Conditions};
use crate::{
    decision::StepUp,
    diagnostic::quoted,
    role::{NameKind, NameSet},
};

/// Why a grant is not held, from the nearest to the farthest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Distance<'p> {
    /// Of several the caller is told one, whatever the order of the grants.
    StepUp(&'p Arc<StepUp>),
    Broken(Broken),
    Condition(Unmet<'p>),
    Permission,
    Role,
}

/// Why it cannot be told whether a grant is held: a mistake of the set-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Broken {
    CheckPanicked,
    AddressMissing,
}

/// The condition of a grant that is not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unmet<'p> {
    Malformed,
    NoneOf,
    /// With what the operator is told.
    Claim(&'p Arc<str>),
    TimeUnknown,
    NotYet,
    Over,
    OtherNetwork,
    AddressUnknown,
    Check(&'p str),
}

impl Distance<'_> {
    /// How far somebody is who lacks a name.
    pub(crate) fn of_name(lacking: NameKind) -> Self {
        match lacking {
            NameKind::Role => Self::Role,
            NameKind::Permission => Self::Permission,
        }
    }
}

impl Broken {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::CheckPanicked => "a check panicked",
            Self::AddressMissing => {
                "the client address is missing: serve with `into_make_service_with_connect_info::<SocketAddr>()`"
            }
        }
    }
}

impl Unmet<'_> {
    /// What the operator is told. It is told of every denial, so what takes long to write is written before.
    pub(crate) fn detail(self) -> Arc<str> {
        let detail = match self {
            Self::Malformed => "`none_of` is not held, since a source of roles was malformed",
            Self::NoneOf => "a name of `none_of` is held",
            Self::Claim(detail) => return Arc::clone(detail),
            Self::TimeUnknown => "the time is not known",
            Self::NotYet => "the time of the grant has not come",
            Self::Over => "the time of the grant is over",
            Self::OtherNetwork => "the client address is in none of the networks",
            Self::AddressUnknown => "the client address is not known",
            Self::Check(check) => return format!("check {} failed", quoted(check)).into(),
        };
        detail.into()
    }
}

/// One part of an object grant; all must hold.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part<'p> {
    AllOf(&'p NameSet),
    AnyOf(&'p NameSet),
    NoneOf(&'p NameSet),
    Claim(&'p ClaimTest),
    From(SystemTime),
    Until(SystemTime),
    Networks(&'p [IpNet]),
    StepUp(&'p Arc<StepUp>),
    Check(&'p str),
}

impl Part<'_> {
    pub(crate) fn is_of_names(self) -> bool {
        matches!(self, Self::AllOf(_) | Self::AnyOf(_))
    }
}

impl Conditions {
    /// Shows every part to `see`, from those that are the farthest when they are not held to the nearest, until it
    /// breaks off. Enforcing and explaining are both such visitors.
    #[inline]
    pub(crate) fn visit<'p>(&'p self, mut see: impl FnMut(Part<'p>) -> ControlFlow<()>) -> ControlFlow<()> {
        if !self.all_of.is_empty() {
            see(Part::AllOf(&self.all_of))?;
        }
        if !self.any_of.is_empty() {
            see(Part::AnyOf(&self.any_of))?;
        }
        if !self.none_of.is_empty() {
            see(Part::NoneOf(&self.none_of))?;
        }
        self.claims.iter().map(Part::Claim).try_for_each(&mut see)?;
        self.from.map(Part::From).map_or(ControlFlow::Continue(()), &mut see)?;
        self.until.map(Part::Until).map_or(ControlFlow::Continue(()), &mut see)?;
        if !self.networks.is_empty() {
            see(Part::Networks(&self.networks))?;
        }
        self.step_up.as_ref().map(Part::StepUp).map_or(ControlFlow::Continue(()), &mut see)?;
        self.check.as_deref().map(Part::Check).map_or(ControlFlow::Continue(()), &mut see)
    }
}
