//! The tables, in Markdown.

use std::fmt::{self, Write};

use crate::{
    case::{Case, Group},
    contender::Kind,
    loopback::Traffic,
    results::{Results, Row},
    targets,
};

const HEAD: &str = "\
# The same work through tower-authz and its peers

Written by `cargo run --release` in `benches/peers`; the README there says what is measured, and how. Every number comes from one run of one program, \
in which everyone was asked in every round. What counts are the differences and ratios within a table, not the numbers: those are another machine's on \
another machine.

- **ns**: nanoseconds a request, from the call until the answer is dropped, in the best round; the median round stands beside it.
- **above**: nanoseconds above the first line of the table: no middleware where the request is let in, an immediate empty answer where it is not.
- **allocations**, **bytes**, **instructions**: above the first line, too.
- **×**: what stands before it, as a multiple of the hand-written optimum's; nothing where that has none.
- **status** stands there where it is another than it should be.

![Nanoseconds above no middleware](peers.svg)
";

/// Everything that was measured.
///
/// # Errors
///
/// None, but those of writing text.
pub fn write(results: &Results) -> Result<String, fmt::Error> {
    let mut text = format!("{HEAD}\n");
    write_targets(&mut text, results)?;
    for group in Group::ALL {
        write_group(&mut text, results, group)?;
    }
    write_heard(&mut text, results)?;
    write_scaling(&mut text, results)?;
    write_loopback(&mut text, results)?;
    write_compiled(&mut text, results)?;
    Ok(text)
}

fn write_targets(text: &mut String, results: &Results) -> fmt::Result {
    writeln!(text, "## What is to be reached\n\n| | measured | limit | |\n| --- | ---: | ---: | --- |")?;
    for target in targets::all(results) {
        let (bound, met) =
            (if target.at_least { "≥" } else { "≤" }, if target.is_met() { "met" } else { "**not met**" });
        writeln!(text, "| {} | {:.2} | {bound} {} | {met} |", target.what, target.measured, target.limit)?;
    }
    let beaten = targets::beaten(results);
    if beaten.is_empty() {
        return writeln!(text, "\nNo peer takes less time than tower-authz in the same place, in any case.");
    }
    writeln!(text, "\nWhere somebody else takes less time in the same place:\n")?;
    beaten.iter().try_for_each(|line| writeln!(text, "- {line}"))
}

fn write_group(text: &mut String, results: &Results, group: Group) -> fmt::Result {
    let cases = Case::ALL.map(|case| (case, results.rows(group, case)));
    if cases.iter().all(|(_, rows)| rows.is_empty()) {
        return Ok(());
    }
    writeln!(text, "\n## {}", group.title())?;
    for (case, rows) in cases.iter().filter(|(_, rows)| !rows.is_empty()) {
        writeln!(text, "\n### {}\n", case.name())?;
        write_rows(text, *case, rows)?;
    }
    let noted = results.contenders.iter().filter(|contender| contender.group == group && !contender.note.is_empty());
    writeln!(text)?;
    noted.into_iter().try_for_each(|contender| writeln!(text, "- {}: {}.", contender.name, contender.note))
}

fn write_rows(text: &mut String, case: Case, rows: &[Row<'_>]) -> fmt::Result {
    let counted = rows.iter().any(|row| row.measured.instructions.is_some());
    let (title, rule) = if counted { (" instructions | × |", " ---: | ---: |") } else { ("", "") };
    writeln!(text, "| | status | ns | median | above | × | allocations | × | bytes | × |{title}")?;
    writeln!(text, "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |{rule}")?;
    for row in rows {
        let name = if row.contender.kind == Kind::Ours {
            format!("**{}**", row.contender.name)
        } else {
            row.contender.name.to_owned()
        };
        let status = row.contender.status(case);
        let status = if status == case.status() { String::new() } else { status.as_u16().to_string() };
        let (best, median) = (row.measured.best(), row.measured.median());
        let times = |number: fn(Row<'_>) -> Option<f64>| optional(row.times_the_optimum(number), 1);
        write!(
            text,
            "| {name} | {status} | {best:.0} | {median:.0} | {:.0} | {} | {:.1} | {} | {:.0} | {} |",
            row.above(),
            times(|row| Some(row.above())),
            row.allocations(),
            times(|row| Some(row.allocations())),
            row.bytes(),
            times(|row| Some(row.bytes())),
        )?;
        if counted {
            write!(text, " {} | {} |", optional(row.instructions(), 0), times(|row| row.instructions()))?;
        }
        writeln!(text)?;
    }
    Ok(())
}

fn optional(number: Option<f64>, digits: usize) -> String {
    number.map_or_else(String::new, |number| format!("{number:.digits$}"))
}

fn write_heard(text: &mut String, results: &Results) -> fmt::Result {
    if results.heard.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n## Denials, while a subscriber writes events as JSON to nowhere")?;
    for group in [Group::Service, Group::Router] {
        for case in Case::ALL.into_iter().filter(|case| case.denies()) {
            let rows = results.rows_of(&results.heard, group, case);
            if !rows.is_empty() {
                writeln!(text, "\n### {}: {}\n", group.title(), case.name())?;
                write_rows(text, case, &rows)?;
            }
        }
    }
    Ok(())
}

fn write_scaling(text: &mut String, results: &Results) -> fmt::Result {
    if results.scaling.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "\n## Two threads against one\n\nNanoseconds a request, allowed; each thread has a clone of the service.\n"
    )?;
    writeln!(text, "| | one | two | ratio |\n| --- | ---: | ---: | ---: |")?;
    results.scaling.iter().try_for_each(|scaling| {
        let contender = &results.contenders[scaling.contender];
        let (one, two, ratio) = (scaling.one, scaling.two, scaling.ratio);
        writeln!(text, "| {} ({}) | {one:.0} | {two:.0} | {ratio:.2} |", contender.name, contender.group.name())
    })
}

fn write_loopback(text: &mut String, results: &Results) -> fmt::Result {
    if results.loopback.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "\n## Over a loopback socket\n\nRequests through `axum::serve` on one thread, as a ratio to the same requests, \
         allowed, without middleware: the median of rounds, in each of which both were asked in turn."
    )?;
    for (traffic, title) in [
        (
            Traffic::Identity,
            "A header names the caller; an outer layer puts the identity into the extensions, everywhere",
        ),
        (Traffic::Token, "A bearer token of 800 bytes"),
        (Traffic::Cookie, "A cookie of a session"),
    ] {
        writeln!(text, "\n### {title}\n")?;
        writeln!(text, "| | case | a second | a second of the server's processor |\n| --- | --- | ---: | ---: |")?;
        for row in results.loopback.iter().filter(|answered| answered.traffic == traffic) {
            let (rate, efficiency) = (row.rate(), optional(row.efficiency(), 3));
            writeln!(text, "| {} | {} | {rate:.3} | {efficiency} |", row.name, row.case.name())?;
        }
    }
    Ok(())
}

fn write_compiled(text: &mut String, results: &Results) -> fmt::Result {
    if results.compiled.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "\n## What a policy costs once\n\n| rules | text, bytes | milliseconds to load | memory, bytes | bytes a rule |"
    )?;
    writeln!(text, "| ---: | ---: | ---: | ---: | ---: |")?;
    results.compiled.iter().try_for_each(|compiled| {
        let a_rule = compiled.bytes / i64::try_from(compiled.rules).unwrap_or(i64::MAX);
        let milliseconds = compiled.seconds * 1e3;
        writeln!(text, "| {} | {} | {milliseconds:.2} | {} | {a_rule} |", compiled.rules, compiled.text, compiled.bytes)
    })
}
