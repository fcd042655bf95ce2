//! An explanation as people read it.

use std::fmt::{self, Display, Formatter};

use anstyle::{AnsiColor, Style};
use tower_authz::analysis::{ExplainedCaller, ExplainedGrant, ExplainedRule, Explanation, Selected};

use crate::answer::Answer;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const TITLE: Style = Style::new().bold();

/// An explanation and the answer that the caller gets.
pub(crate) struct Narrative<'a> {
    pub(crate) explanation: &'a Explanation,
    pub(crate) answer: Option<&'a Answer>,
}

impl Display for Narrative<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Explanation { method, path, time, revision, client, rejected, .. } = self.explanation;
        writeln!(f, "{TITLE}{method} {}{TITLE:#}", path.escape_debug())?;
        let client = client.map_or_else(|| "not known".to_owned(), |client| client.to_string());
        writeln!(f, "  at {time}, client address {client}, policy revision {revision}")?;
        write_caller(f, &self.explanation.caller)?;
        if let Some(why) = rejected {
            writeln!(f, "\n{TITLE}Path{TITLE:#}\n  {BAD}✗{BAD:#} rejected, whoever asks: {why}")?;
        } else {
            writeln!(f, "\n{TITLE}Readings of the path{TITLE:#}")?;
            for reading in &self.explanation.readings {
                let routes = if reading.routes.is_empty() { "no key".to_owned() } else { reading.routes.join(" and ") };
                writeln!(f, "  {} selects {routes}", reading.path.escape_debug())?;
            }
            self.explanation.selected.iter().try_for_each(|selected| write_selected(f, selected))?;
        }
        self.write_decision(f)
    }
}

impl Narrative<'_> {
    fn write_decision(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let verdict = &self.explanation.verdict;
        let Some(reason) = verdict.reason() else {
            return writeln!(f, "\n{TITLE}Decision{TITLE:#}\n  {GOOD}allow{GOOD:#}: the request is forwarded");
        };
        write!(f, "\n{TITLE}Decision{TITLE:#}\n  {BAD}deny{BAD:#}: {reason}")?;
        if let Some(detail) = &self.explanation.detail {
            write!(f, " ({detail})")?;
        }
        writeln!(f, "{}\n", if verdict.is_masked() { ", masked" } else { "" })?;
        if let Some(answer) = self.answer {
            writeln!(f, "{TITLE}Answer{TITLE:#}\n{answer}")?;
        }
        self.write_nearest(f)
    }

    fn write_nearest(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let steps: Vec<_> = self.explanation.selected.iter().flat_map(|selected| &selected.nearest).collect();
        if steps.is_empty() {
            return Ok(());
        }
        writeln!(f, "{TITLE}Nearest way to be allowed{TITLE:#}")?;
        steps.iter().try_for_each(|step| writeln!(f, "  - {step}"))
    }
}

fn write_caller(f: &mut Formatter<'_>, caller: &ExplainedCaller) -> fmt::Result {
    let Some(subject) = &caller.subject else {
        return match &caller.problem {
            Some(problem) => writeln!(f, "  nobody is known: {problem}"),
            None => writeln!(f, "  from an anonymous caller"),
        };
    };
    match subject.as_str() {
        "" => writeln!(f, "  from an authenticated caller without a subject")?,
        subject => writeln!(f, "  from `{}`", subject.escape_debug())?,
    }
    let lists = [("roles", &caller.roles), ("permissions", &caller.permissions), ("without effect", &caller.inert)];
    for (what, names) in lists.into_iter().filter(|(_, names)| !names.is_empty()) {
        writeln!(f, "    {what}: {}", names.join(", ").escape_debug())?;
    }
    if let Some(limit) = &caller.limit {
        let scopes = if limit.is_empty() { "no scopes".to_owned() } else { limit.join(", ") };
        writeln!(f, "    what the roles give is limited to: {}", scopes.escape_debug())?;
    }
    for source in &caller.malformed {
        writeln!(f, "    {BAD}malformed{BAD:#}: {}", source.escape_debug())?;
    }
    for roles in &caller.conflicting {
        writeln!(f, "    {BAD}conflicting roles{BAD:#}: {}", roles.join(", "))?;
    }
    Ok(())
}

fn write_selected(f: &mut Formatter<'_>, selected: &Selected) -> fmt::Result {
    let mark = mark(selected.satisfied);
    let Some(route) = &selected.route else {
        return writeln!(f, "\n{TITLE}Not listed{TITLE:#}\n  {mark} no key matches {}", selected.readings.join(" or "));
    };
    writeln!(f, "\n{TITLE}Route {route}{TITLE:#}")?;
    for (name, value) in &selected.params {
        let value =
            value.as_ref().map_or_else(|| "not UTF-8".to_owned(), |value| format!("`{}`", value.escape_debug()));
        writeln!(f, "  {{{name}}} is {value}")?;
    }
    match &selected.rule {
        Some(rule) => write_rule(f, rule, &mark)?,
        None => writeln!(f, "  {mark} the method is not listed; {} are", selected.methods.join(", "))?,
    }
    match selected.visible {
        Some(true) => writeln!(f, "  the route is masked, and visible to this caller"),
        Some(false) => writeln!(f, "  the route is masked, and not visible to this caller"),
        None => Ok(()),
    }
}

fn write_rule(f: &mut Formatter<'_>, rule: &ExplainedRule, mark: &str) -> fmt::Result {
    let masked = if rule.masked { ", masked" } else { "" };
    writeln!(f, "  {mark} rule {}{masked}: any of", rule.name)?;
    rule.grants.iter().try_for_each(|grant| write_grant(f, grant))?;
    if !rule.shadow.is_empty() {
        writeln!(f, "    and in its shadow, never enforced, any of")?;
    }
    rule.shadow.iter().try_for_each(|grant| write_grant(f, grant))
}

fn write_grant(f: &mut Formatter<'_>, grant: &ExplainedGrant) -> fmt::Result {
    writeln!(f, "    {} {}", mark(grant.held), grant.needs)?;
    for part in &grant.parts {
        write!(f, "        {} {}", mark(part.held), part.needs)?;
        match &part.why {
            Some(why) => writeln!(f, ": {why}")?,
            None => writeln!(f)?,
        }
    }
    Ok(())
}

fn mark(held: bool) -> String {
    if held { format!("{GOOD}✓{GOOD:#}") } else { format!("{BAD}✗{BAD:#}") }
}
