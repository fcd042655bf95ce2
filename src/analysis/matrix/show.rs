//! A matrix as text: for terminals, as Markdown and as CSV.

use std::fmt;

use super::{
    build::{Matrix, MatrixRow},
    cell::MatrixCell,
};

impl fmt::Display for Matrix {
    /// As a table for a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let note = |numbers: &[usize]| format!("if {}", join(numbers, " or "));
        let table = self.table(&Marks { allowed: "yes", denied: "-", note: &note });
        let width =
            |column| table.iter().filter_map(|row| row.get(column)).map(|text: &String| text.chars().count()).max();
        let widths: Vec<_> = (0..).map_while(width).collect();
        for row in &table {
            let cells: Vec<_> = row.iter().zip(&widths).map(|(text, width)| format!("{text:width$}")).collect();
            writeln!(f, "{}", cells.join("  ").trim_end())?;
        }
        for (number, condition) in (1..).zip(self.conditions()) {
            write!(f, "{}{number}: {condition}", if number == 1 { "\nconditions:\n  " } else { "\n  " })?;
        }
        if self.conditions().is_empty() { Ok(()) } else { writeln!(f) }
    }
}

impl Matrix {
    /// As a table in Markdown, conditions as footnotes.
    pub fn to_markdown(&self) -> String {
        let note = |numbers: &[usize]| format!("[^{}]", join(numbers, "][^"));
        let mut table = self.table(&Marks { allowed: "yes", denied: "", note: &note }).into_iter();
        let head = table.next().unwrap_or_default();
        let rule = vec!["---".to_owned(); head.len()];
        // A `*` in a path is no emphasis.
        let code = |(column, text): (usize, String)| if column == 1 { format!("`{text}`") } else { text };
        let rows = table.map(|row| row.into_iter().enumerate().map(code).collect());
        let lines = [head, rule].into_iter().chain(rows).map(|row: Vec<String>| {
            let cells: Vec<_> = row.iter().map(|text| text.replace('|', "\\|")).collect();
            format!("| {} |\n", cells.join(" | "))
        });
        let notes = (1..).zip(self.conditions()).map(|(number, condition)| format!("\n[^{number}]: {condition}\n"));
        lines.chain(notes).collect::<Vec<_>>().concat()
    }

    /// As comma-separated values (RFC 4180): `allowed`, `denied` or the conditions themselves.
    pub fn to_csv(&self) -> String {
        let condition = |number: &usize| number.checked_sub(1).and_then(|index| self.conditions().get(index));
        let note = |numbers: &[usize]| {
            let texts: Vec<_> = numbers.iter().filter_map(condition).map(String::as_str).collect();
            format!("if {}", texts.join(" | "))
        };
        let table = self.table(&Marks { allowed: "allowed", denied: "denied", note: &note });
        table.iter().map(|row| row.iter().map(|text| field(text)).collect::<Vec<_>>().join(",") + "\r\n").collect()
    }

    /// Head and rows as texts.
    fn table(&self, marks: &Marks<'_>) -> Vec<Vec<String>> {
        let head = ["method", "path", "marks"].map(str::to_owned).into_iter().chain(self.columns().iter().cloned());
        let rows = self.rows().iter().map(|row| {
            let path = row.path().unwrap_or("(not listed)").to_owned();
            let own = [row.methods().join(","), path, marks_of(row).join(" ")];
            own.into_iter().chain(row.cells().iter().map(|cell| marks.of(cell))).collect()
        });
        std::iter::once(head.collect()).chain(rows).collect()
    }
}

fn marks_of(row: &MatrixRow) -> Vec<&'static str> {
    let marks = [(row.is_public(), "public"), (row.is_masked(), "masked")];
    marks.into_iter().filter_map(|(is_so, mark)| is_so.then_some(mark)).collect()
}

/// How cells are written.
struct Marks<'a> {
    allowed: &'static str,
    denied: &'static str,
    note: &'a dyn Fn(&[usize]) -> String,
}

impl Marks<'_> {
    fn of(&self, cell: &MatrixCell) -> String {
        match cell {
            MatrixCell::Allowed => self.allowed.to_owned(),
            MatrixCell::Denied => self.denied.to_owned(),
            MatrixCell::Conditional(numbers) => (self.note)(numbers),
        }
    }
}

fn join(numbers: &[usize], separator: &str) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator)
}

/// A field, in quotes where it needs them. What a spreadsheet would take for a formula gets a quote before it.
fn field(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    let text = format!("{guard}{text}");
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
