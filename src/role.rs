//! Roles and permissions as bits.
//!
//! A [`NameTable`] gives every role and permission that a policy declares a bit, and knows for every role the
//! closure of what it inherits and grants. [`Held`] is the set of names that one principal effectively has.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

mod memo;

pub(crate) use memo::{Memo, Remembered};

/// Whether a declared name is a role or a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub(crate) enum NameKind {
    /// A role: what a principal is.
    Role,
    /// A permission (also called a scope): what a principal may do.
    Permission,
}

/// The place of a declared name in its [`NameTable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NameId(u32);

impl NameId {
    fn word(self) -> usize {
        self.0 as usize / 64
    }

    fn bit(self) -> u64 {
        1 << (self.0 % 64)
    }
}

#[derive(Debug)]
struct Name {
    text: Arc<str>,
    kind: NameKind,
    /// For a role, itself and everything it inherits and grants; for a permission, itself.
    closure: Box<[u64]>,
}

/// Every role and permission that a policy declares.
#[derive(Debug)]
pub(crate) struct NameTable {
    revision: u32,
    index: HashMap<Arc<str>, NameId>,
    names: Vec<Name>,
    permissions: Box<[u64]>,
    exclusive: Vec<NameSet>,
}

impl NameTable {
    /// A table of `names`, in order; names are unique.
    pub(crate) fn new(names: impl IntoIterator<Item = (Arc<str>, NameKind)>) -> Self {
        static REVISION: AtomicU32 = AtomicU32::new(1);
        let names: Vec<_> = names.into_iter().collect();
        let words = names.len().div_ceil(64);
        let mut table = Self {
            revision: REVISION.fetch_add(1, Ordering::Relaxed),
            index: HashMap::with_capacity(names.len()),
            names: Vec::with_capacity(names.len()),
            permissions: vec![0; words].into(),
            exclusive: Vec::new(),
        };
        for (id, (text, kind)) in (0..).map(NameId).zip(names) {
            let mut closure: Box<[u64]> = vec![0; words].into();
            set(&mut closure, id);
            if kind == NameKind::Permission {
                set(&mut table.permissions, id);
            }
            table.index.insert(Arc::clone(&text), id);
            table.names.push(Name { text, kind, closure });
        }
        table
    }

    /// Declares that `role` has everything in the closure of `from`, as it is now.
    pub(crate) fn inherit(&mut self, role: NameId, from: NameId) {
        let Some(inherited) = self.names.get(from.0 as usize).map(|name| name.closure.clone()) else { return };
        if let Some(name) = self.names.get_mut(role.0 as usize) {
            for (word, more) in name.closure.iter_mut().zip(inherited) {
                *word |= more;
            }
        }
    }

    /// Whether the closure of `role` holds `other`.
    pub(crate) fn includes(&self, role: NameId, other: NameId) -> bool {
        let word = self.names.get(role.0 as usize).and_then(|name| name.closure.get(other.word()));
        word.is_some_and(|word| word & other.bit() != 0)
    }

    /// Declares that no principal may have two of `roles`.
    pub(crate) fn add_exclusive(&mut self, roles: impl IntoIterator<Item = NameId>) {
        self.exclusive.push(NameSet::new(roles));
    }

    pub(crate) fn find(&self, text: &str) -> Option<NameId> {
        self.index.get(text).copied()
    }

    /// Whether `text` is a role; nothing if it is not declared.
    pub(crate) fn is_role(&self, text: &str) -> Option<bool> {
        Some(self.kind(self.find(text)?)? == NameKind::Role)
    }

    pub(crate) fn text(&self, id: NameId) -> Option<&Arc<str>> {
        self.names.get(id.0 as usize).map(|name| &name.text)
    }

    pub(crate) fn kind(&self, id: NameId) -> Option<NameKind> {
        self.names.get(id.0 as usize).map(|name| name.kind)
    }

    /// Every declared name, in the order of declaration.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (NameId, &Arc<str>, NameKind)> {
        (0..).map(NameId).zip(&self.names).map(|(id, name)| (id, &name.text, name.kind))
    }

    /// How many words a set of these names has.
    pub(crate) fn words(&self) -> usize {
        self.permissions.len()
    }

    pub(crate) fn exclusive(&self) -> &[NameSet] {
        &self.exclusive
    }

    /// The names in the closure of `id`, itself included.
    pub(crate) fn closure(&self, id: NameId) -> impl Iterator<Item = NameId> {
        self.iter().map(|(other, ..)| other).filter(move |other| self.includes(id, *other))
    }

    /// Whether a role in `held` gives `id`, whatever else may limit what the roles give.
    pub(crate) fn is_given(&self, id: NameId, held: &Held) -> bool {
        self.iter().any(|(role, _, kind)| kind == NameKind::Role && held.contains(role) && self.includes(role, id))
    }

    /// Whether `held` has two roles of an exclusive set.
    #[inline]
    pub(crate) fn conflicting(&self, held: &impl Words) -> bool {
        self.exclusive.iter().any(|set| set.count(held) > 1)
    }

    /// What `look` sees of what the memo keeps for this table, if it keeps anything.
    #[inline]
    pub(crate) fn recall<T>(&self, memo: &Memo, look: impl FnOnce(Remembered<'_>) -> T) -> Option<T> {
        memo.look(self.revision, look)
    }

    /// What `claimed` effectively gives, into an empty set: the closure of its roles, and its permissions as far as
    /// they are declared. The memo keeps the answer.
    pub(crate) fn resolve_claimed(&self, claimed: Claimed<'_>, memo: &Memo, held: &mut Held) {
        if memo.load(self.revision, held.words_mut()) {
            return;
        }
        self.add_roles(claimed.roles, held);
        if let Some(limit) = claimed.permission_limit {
            self.limit_permissions(limit, held);
        }
        self.add_permissions(claimed.permissions, held);
        memo.store(self.revision, held.words());
    }

    fn add_roles(&self, roles: &[Box<str>], held: &mut Held) {
        for name in roles.iter().filter_map(|name| self.declared(name, NameKind::Role)) {
            for (word, closure) in held.words_mut().iter_mut().zip(&name.closure) {
                *word |= closure;
            }
        }
    }

    /// Takes away what the roles give but the token's scopes do not name.
    fn limit_permissions(&self, limit: &[Box<str>], held: &mut Held) {
        let mut allowed = Held::empty(self.permissions.len());
        for id in limit.iter().filter_map(|name| self.find(name)) {
            set(allowed.words_mut(), id);
        }
        let masks = self.permissions.iter().zip(allowed.words());
        for (word, (permissions, allowed)) in held.words_mut().iter_mut().zip(masks) {
            *word &= !permissions | allowed;
        }
    }

    fn add_permissions(&self, permissions: &[Box<str>], held: &mut Held) {
        let is_permission = |id: &NameId| self.kind(*id) == Some(NameKind::Permission);
        for id in permissions.iter().filter_map(|name| self.find(name)).filter(is_permission) {
            set(held.words_mut(), id);
        }
    }

    fn declared(&self, text: &str, kind: NameKind) -> Option<&Name> {
        let name = self.names.get(self.find(text)?.0 as usize)?;
        (name.kind == kind).then_some(name)
    }
}

fn set(words: &mut [u64], id: NameId) {
    if let Some(word) = words.get_mut(id.word()) {
        *word |= id.bit();
    }
}

/// The names that a principal claims.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claimed<'a> {
    pub(crate) roles: &'a [Box<str>],
    pub(crate) permissions: &'a [Box<str>],
    /// Limits the permissions that the roles give.
    pub(crate) permission_limit: Option<&'a [Box<str>]>,
}

/// Words that are kept without allocating: 2,048 names.
const INLINE: usize = 32;

/// What [`Memo`] is made of; its model has other atomics.
mod atomics {
    pub(super) use std::sync::atomic::{AtomicU64, Ordering, fence};
}

/// A set of names, word by word.
pub(crate) trait Words {
    fn word(&self, index: usize) -> u64;
}

impl Words for Held {
    #[inline]
    fn word(&self, index: usize) -> u64 {
        self.words().get(index).copied().unwrap_or(0)
    }
}

impl Words for Remembered<'_> {
    #[inline]
    fn word(&self, index: usize) -> u64 {
        (*self).word(index)
    }
}

/// The declared names that a principal effectively has.
#[derive(Clone)]
pub(crate) struct Held {
    inline: [u64; INLINE],
    spilled: Vec<u64>,
    len: usize,
}

impl Held {
    /// Made where it is wanted: it is large to be moved.
    #[inline(never)]
    pub(crate) fn empty(words: usize) -> Self {
        let mut held = Self { inline: [0; INLINE], spilled: Vec::new(), len: words };
        if words > INLINE {
            held.spilled = vec![0; words];
        }
        held
    }

    /// The set of `ids` in a table with so many words.
    pub(crate) fn of(words: usize, ids: impl IntoIterator<Item = NameId>) -> Self {
        let mut held = Self::empty(words);
        for id in ids {
            set(held.words_mut(), id);
        }
        held
    }

    pub(crate) fn contains(&self, id: NameId) -> bool {
        self.words().get(id.word()).is_some_and(|word| word & id.bit() != 0)
    }

    #[inline]
    fn words(&self) -> &[u64] {
        if self.len > INLINE { &self.spilled } else { self.inline.get(..self.len).unwrap_or_default() }
    }

    fn words_mut(&mut self) -> &mut [u64] {
        if self.len > INLINE { &mut self.spilled } else { self.inline.get_mut(..self.len).unwrap_or_default() }
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held").field(&self.words()).finish()
    }
}

/// A set of names as a grant holds it: only the words that have bits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NameSet {
    words: Box<[(u32, u64)]>,
    ids: Box<[NameId]>,
}

impl NameSet {
    pub(crate) fn new(ids: impl IntoIterator<Item = NameId>) -> Self {
        let ids: Box<[NameId]> = ids.into_iter().collect();
        let mut words: Vec<(u32, u64)> = Vec::new();
        for id in &ids {
            let index = id.0 / 64;
            match words.iter_mut().find(|(word, _)| *word == index) {
                Some((_, bits)) => *bits |= id.bit(),
                None => words.push((index, id.bit())),
            }
        }
        Self { words: words.into(), ids }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The names as they were listed.
    pub(crate) fn ids(&self) -> &[NameId] {
        &self.ids
    }

    /// The names that are not in `held`.
    pub(crate) fn lacking<'s>(&'s self, held: &'s Held) -> impl Iterator<Item = NameId> + use<'s> {
        self.ids.iter().copied().filter(|id| !held.contains(*id))
    }

    #[inline]
    pub(crate) fn all_in(&self, held: &impl Words) -> bool {
        self.overlap(held).all(|(wanted, has)| wanted & has == wanted)
    }

    #[inline]
    pub(crate) fn any_in(&self, held: &impl Words) -> bool {
        self.overlap(held).any(|(wanted, has)| wanted & has != 0)
    }

    fn count(&self, held: &impl Words) -> u32 {
        self.overlap(held).map(|(wanted, has)| (wanted & has).count_ones()).sum()
    }

    #[inline]
    fn overlap(&self, held: &impl Words) -> impl Iterator<Item = (u64, u64)> {
        self.words.iter().map(|(index, bits)| (*bits, held.word(*index as usize)))
    }
}

#[cfg(test)]
mod tests;
