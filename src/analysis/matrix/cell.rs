//! One cell of a matrix.

/// Whether a column may call a row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum MatrixCell {
    /// It may.
    Allowed,
    /// It may not.
    Denied,
    /// It may where one of these conditions holds: numbers of [`Matrix::conditions`](super::Matrix::conditions),
    /// from 1.
    Conditional(Vec<usize>),
}
