//! Boolean functions with one form each: reduced, ordered binary decision diagrams.
//!
//! Two functions are equal if and only if they are the same diagram, so that equality is proved by comparing two
//! numbers. Every operation is the one of three operands, "if, then, else", with its answers remembered.

use std::collections::{BTreeSet, HashMap, HashSet};

/// A variable; those with lower numbers are decided first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Variable(pub(crate) u32);

/// A function of the variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Function(usize);

impl Function {
    pub(crate) const NEVER: Self = Self(0);
    pub(crate) const ALWAYS: Self = Self(1);
}

/// What is decided first, and what is left to decide then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Node {
    variable: Variable,
    low: Function,
    high: Function,
}

/// The functions that were made, each kept once.
#[derive(Debug, Default)]
pub(crate) struct Functions {
    /// The node of the function with the number two more than the index.
    nodes: Vec<Node>,
    known: HashMap<Node, Function>,
    answers: HashMap<Choice, Function>,
}

/// Where the first holds the second, elsewhere the third.
type Choice = (Function, Function, Function);

/// A step of working out a choice, without recursion: diagrams may be as deep as a policy has names.
enum Step {
    Work(Choice),
    Join(Variable, Choice),
}

impl Functions {
    /// That `variable` holds.
    pub(crate) fn variable(&mut self, variable: Variable) -> Function {
        self.node(Node { variable, low: Function::NEVER, high: Function::ALWAYS })
    }

    pub(crate) fn not(&mut self, a: Function) -> Function {
        self.choose((a, Function::NEVER, Function::ALWAYS))
    }

    pub(crate) fn and(&mut self, a: Function, b: Function) -> Function {
        self.choose((a, b, Function::NEVER))
    }

    pub(crate) fn or(&mut self, a: Function, b: Function) -> Function {
        self.choose((a, Function::ALWAYS, b))
    }

    /// That `a` holds and `b` does not.
    pub(crate) fn without(&mut self, a: Function, b: Function) -> Function {
        let not_b = self.not(b);
        self.and(a, not_b)
    }

    pub(crate) fn all(&mut self, parts: impl IntoIterator<Item = Function>) -> Function {
        parts.into_iter().fold(Function::ALWAYS, |all, part| self.and(all, part))
    }

    pub(crate) fn any(&mut self, parts: impl IntoIterator<Item = Function>) -> Function {
        parts.into_iter().fold(Function::NEVER, |any, part| self.or(any, part))
    }

    /// The variables on which `function` depends.
    pub(crate) fn support(&self, function: Function) -> BTreeSet<Variable> {
        self.below(function).into_iter().filter_map(|part| Some(self.get(part)?.variable)).collect()
    }

    /// Whether `function` holds where the variables hold that `held` says.
    pub(crate) fn holds(&self, function: Function, held: impl Fn(Variable) -> bool) -> bool {
        let mut rest = function;
        while let Some(node) = self.get(rest) {
            rest = if held(node.variable) { node.high } else { node.low };
        }
        rest == Function::ALWAYS
    }

    /// The variables that hold where `function` does, all others not: such that what they cost is least.
    /// Nothing if the function never holds.
    pub(crate) fn cheapest(&self, function: Function, cost: impl Fn(Variable) -> u64) -> Option<Vec<Variable>> {
        let mut costs: HashMap<Function, u64> = HashMap::from([(Function::ALWAYS, 0)]);
        for part in self.below(function) {
            let Some(node) = self.get(part) else { continue };
            let low = costs.get(&node.low).copied();
            let high = costs.get(&node.high).map(|rest| rest.saturating_add(cost(node.variable)));
            costs.extend(low.into_iter().chain(high).min().map(|least| (part, least)));
        }
        costs.get(&function)?;
        let (mut held, mut rest) = (Vec::new(), function);
        while let Some(node) = self.get(rest) {
            let goes_low = costs.get(&node.low) == costs.get(&rest);
            held.extend((!goes_low).then_some(node.variable));
            rest = if goes_low { node.low } else { node.high };
        }
        Some(held)
    }

    fn get(&self, function: Function) -> Option<&Node> {
        self.nodes.get(function.0.checked_sub(2)?)
    }

    /// The parts of a function that are no constants, each behind those it is made of.
    fn below(&self, function: Function) -> Vec<Function> {
        let (mut seen, mut found, mut open) = (HashSet::new(), Vec::new(), vec![function]);
        while let Some(part) = open.pop() {
            if let Some(node) = self.get(part)
                && seen.insert(part)
            {
                found.push(part);
                open.extend([node.low, node.high]);
            }
        }
        // A function is made after its parts.
        found.sort_unstable();
        found
    }

    fn node(&mut self, node: Node) -> Function {
        if node.low == node.high {
            return node.low;
        }
        let next = Function(self.nodes.len() + 2);
        let function = *self.known.entry(node).or_insert(next);
        if function == next {
            self.nodes.push(node);
        }
        function
    }

    fn choose(&mut self, choice: Choice) -> Function {
        let (mut steps, mut answers) = (vec![Step::Work(choice)], Vec::new());
        while let Some(step) = steps.pop() {
            match step {
                Step::Work(choice) => match self.answer(choice) {
                    Some(answer) => answers.push(answer),
                    None => self.split(choice, &mut steps),
                },
                Step::Join(variable, choice) => {
                    let (Some(high), Some(low)) = (answers.pop(), answers.pop()) else { continue };
                    let answer = self.node(Node { variable, low, high });
                    self.answers.insert(choice, answer);
                    answers.push(answer);
                }
            }
        }
        answers.pop().unwrap_or(Function::NEVER)
    }

    /// The answer to a choice that is easy or was met before.
    fn answer(&self, choice: Choice) -> Option<Function> {
        match choice {
            (Function::ALWAYS, then, _) => Some(then),
            (Function::NEVER, _, other) => Some(other),
            (_, then, other) if then == other => Some(then),
            (when, Function::ALWAYS, Function::NEVER) => Some(when),
            (when, then, Function::NEVER) if when == then => Some(when),
            (when, Function::ALWAYS, other) if when == other => Some(when),
            _ => self.answers.get(&choice).copied(),
        }
    }

    fn split(&self, choice: Choice, steps: &mut Vec<Step>) {
        let (when, then, other) = choice;
        let first = [when, then, other].into_iter().filter_map(|part| Some(self.get(part)?.variable)).min();
        let Some(first) = first else { return };
        let given = |value: bool| {
            let part = |part| self.given(part, first, value);
            Step::Work((part(when), part(then), part(other)))
        };
        steps.extend([Step::Join(first, choice), given(true), given(false)]);
    }

    /// What is left of a function once its first variable, or an earlier one, is decided.
    fn given(&self, function: Function, variable: Variable, value: bool) -> Function {
        match self.get(function) {
            Some(node) if node.variable == variable => {
                if value {
                    node.high
                } else {
                    node.low
                }
            }
            _ => function,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Function, Functions, Variable};

    #[derive(Clone, Debug)]
    enum Formula {
        Constant(bool),
        Variable(u32),
        Not(Box<Formula>),
        And(Box<Formula>, Box<Formula>),
        Or(Box<Formula>, Box<Formula>),
    }

    impl Formula {
        fn holds(&self, held: u32) -> bool {
            match self {
                Self::Constant(value) => *value,
                Self::Variable(index) => held >> index & 1 == 1,
                Self::Not(a) => !a.holds(held),
                Self::And(a, b) => a.holds(held) && b.holds(held),
                Self::Or(a, b) => a.holds(held) || b.holds(held),
            }
        }

        fn build(&self, functions: &mut Functions) -> Function {
            match self {
                Self::Constant(true) => Function::ALWAYS,
                Self::Constant(false) => Function::NEVER,
                Self::Variable(index) => functions.variable(Variable(*index)),
                Self::Not(a) => {
                    let a = a.build(functions);
                    functions.not(a)
                }
                Self::And(a, b) => {
                    let (a, b) = (a.build(functions), b.build(functions));
                    functions.and(a, b)
                }
                Self::Or(a, b) => {
                    let (a, b) = (a.build(functions), b.build(functions));
                    functions.or(a, b)
                }
            }
        }
    }

    fn formulas() -> impl Strategy<Value = Formula> {
        let leaf = prop_oneof![any::<bool>().prop_map(Formula::Constant), (0u32..6).prop_map(Formula::Variable)];
        leaf.prop_recursive(6, 40, 2, |inner| {
            let pair = (inner.clone(), inner.clone());
            prop_oneof![
                inner.prop_map(|a| Formula::Not(a.into())),
                pair.clone().prop_map(|(a, b)| Formula::And(a.into(), b.into())),
                pair.prop_map(|(a, b)| Formula::Or(a.into(), b.into())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn equal_functions_are_one_and_others_are_not(a in formulas(), b in formulas()) {
            let mut functions = Functions::default();
            let (one, other) = (a.build(&mut functions), b.build(&mut functions));
            prop_assert_eq!(one == other, (0..64).all(|held| a.holds(held) == b.holds(held)));
        }

        #[test]
        fn the_cheapest_way_to_hold_is_found(a in formulas()) {
            let mut functions = Functions::default();
            let function = a.build(&mut functions);
            let cost = |Variable(index)| u64::from(index) + 3;
            let price = |held: u32| (0..6).filter(|index| held >> index & 1 == 1).map(|index| cost(Variable(index))).sum::<u64>();
            let found = functions.cheapest(function, cost);
            let found = found.map(|held| held.iter().fold(0, |bits, Variable(index)| bits | 1 << index));
            let least = (0..64).filter(|held| a.holds(*held)).map(price).min();
            prop_assert_eq!(found.map(price), least);
            prop_assert!(found.is_none_or(|held| a.holds(held)));
        }
    }
}
