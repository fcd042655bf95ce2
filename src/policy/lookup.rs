//! Which route a path selects.

/// Placeholder shape, replaced by the trie.
#[derive(Debug, Default)]
pub(crate) struct Lookup;
