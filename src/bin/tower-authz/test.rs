//! `tower-authz test`.

use std::{io::Write, path::PathBuf};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use tower_authz::{
    Policy,
    analysis::{Coverage, CoveredRule, Explanation, explain},
};

use crate::{
    cases::{self, Case},
    failure::{Failure, Outcome},
    format::{Format, write_json},
    narrative::Narrative,
};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// Hold a policy to a file of cases, and show which rules and grants none reached
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The file is a list of cases, or an object with the list as `cases`. A case has a `name`, a `request` as `eval` reads \
it, and what to `expect`: \"allow\", \"deny\", a status, or an object with any of `decision`, `status`, `reason`, \
`rule`, `masked` and `missing`.

A rule is reached by a case that selects it, a grant by one whose caller holds it.")]
pub(crate) struct Args {
    /// The policy
    policy: PathBuf,
    /// The cases: JSON, TOML or YAML
    cases: PathBuf,
    /// Fail if fewer percent of the rules and grants are reached
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    min_coverage: Option<f64>,
    /// For whom the report is
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse().ok().filter(|number| (0.0..=100.0).contains(number));
    number.ok_or_else(|| "write a number from 0 to 100".to_owned())
}

#[derive(Serialize)]
struct Report {
    cases: Vec<Ran>,
    passed: usize,
    failed: usize,
    coverage: Covered,
}

#[derive(Serialize)]
struct Covered {
    percent: f64,
    reached: usize,
    all: usize,
    enough: bool,
    rules: Coverage,
}

#[derive(Serialize)]
struct Ran {
    name: String,
    passed: bool,
    differences: Vec<String>,
    explanation: Explanation,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let policy = Policy::from_file(&args.policy)?;
    let cases = cases::read(&args.cases)?;
    let report = Report::new(&policy, &cases, args.min_coverage);
    let is_fine = report.failed == 0 && report.coverage.enough;
    match args.format {
        Format::Json => write_json(out, &report)?,
        Format::Text => report.write(out, args.min_coverage)?,
    }
    Ok(if is_fine { Outcome::Fine } else { Outcome::Findings })
}

impl Report {
    fn new(policy: &Policy, cases: &[Case], min_coverage: Option<f64>) -> Self {
        let mut coverage = Coverage::new(policy);
        let mut ran = Vec::with_capacity(cases.len());
        for case in cases {
            let explanation = explain(policy, &case.probe);
            coverage.record(&explanation);
            let differences = case.differences(&explanation.verdict);
            ran.push(Ran { name: case.name.clone(), passed: differences.is_empty(), differences, explanation });
        }
        let failed = ran.iter().filter(|ran| !ran.passed).count();
        let coverage = Covered {
            percent: coverage.percent(),
            reached: coverage.reached(),
            all: coverage.all(),
            enough: min_coverage.is_none_or(|least| coverage.percent() >= least),
            rules: coverage,
        };
        Self { passed: ran.len() - failed, failed, cases: ran, coverage }
    }

    fn write(&self, out: &mut dyn Write, min_coverage: Option<f64>) -> Result<(), Failure> {
        let cases = if self.cases.len() == 1 { "case" } else { "cases" };
        writeln!(out, "running {} {cases}", self.cases.len())?;
        for ran in &self.cases {
            if ran.passed {
                writeln!(out, "{GOOD}ok{GOOD:#}     {}", ran.name)?;
            } else {
                writeln!(out, "{BAD}FAILED{BAD:#} {}", ran.name)?;
            }
        }
        for ran in self.cases.iter().filter(|ran| !ran.passed) {
            writeln!(out, "\n{BAD}{}{BAD:#}", ran.name)?;
            for difference in &ran.differences {
                writeln!(out, "  {difference}")?;
            }
            let narrative = Narrative { explanation: &ran.explanation, answer: None };
            writeln!(out, "\n{}", indented(&narrative.to_string()))?;
        }
        writeln!(out, "\nresult: {} passed, {} failed", self.passed, self.failed)?;
        self.coverage.write(out, min_coverage)
    }
}

impl Covered {
    fn write(&self, out: &mut dyn Write, min_coverage: Option<f64>) -> Result<(), Failure> {
        let Self { percent, reached, all, .. } = self;
        writeln!(out, "coverage: {percent:.1}% ({reached} of {all} rules and grants)")?;
        for rule in self.rules.rules() {
            write_unreached(out, rule)?;
        }
        if let Some(least) = min_coverage.filter(|_| !self.enough) {
            writeln!(out, "{BAD}the coverage is below {least}%{BAD:#}")?;
        }
        Ok(())
    }
}

fn write_unreached(out: &mut dyn Write, rule: &CoveredRule) -> Result<(), Failure> {
    if !rule.reached {
        return Ok(writeln!(out, "  not reached: {}", rule.name)?);
    }
    for grant in rule.grants.iter().filter(|grant| !grant.reached) {
        writeln!(out, "  not reached: {}: {}", rule.name, grant.needs)?;
    }
    Ok(())
}

fn indented(text: &str) -> String {
    let line = |line: &str| if line.is_empty() { String::new() } else { format!("  {line}") };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
