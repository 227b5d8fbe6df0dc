//! `cargo xtask test`: runs the steps in order, says which failed and why, and how long each took. A step
//! that needs another one is not run when that one failed, and counts as failed: what it would have tested
//! is not there.

mod audit;
mod fuzz;
mod steps;
pub mod template;
#[cfg(test)]
mod threat_model;

use std::{
    collections::BTreeMap,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use steps::{DYNAMODB, STEPS};

const USAGE: &str = "cargo xtask test [NAME…] [--dynamodb URL] [--list]";

/// One step of the suite.
struct Step {
    name: &'static str,
    /// What it proves, for the list.
    proves: &'static str,
    /// Steps whose results it uses; run before it when it is named alone.
    needs: &'static [&'static str],
    run: fn() -> anyhow::Result<Passed>,
}

/// How a step passed.
enum Passed {
    /// With everything it is there for.
    Whole,
    /// Without a part that this machine cannot do; the summary says which.
    Without(&'static str),
}

enum Outcome {
    Passed(Duration, Passed),
    Failed(Duration, String),
    NotRun(&'static str),
}

pub fn run(mut arguments: lexopt::Parser) -> anyhow::Result<ExitCode> {
    use lexopt::prelude::{Long, Value, ValueExt as _};

    let mut names = Vec::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("list") => {
                STEPS.iter().for_each(|step| println!("{:14} {}", step.name, step.proves));
                return Ok(ExitCode::SUCCESS);
            }
            Long("dynamodb") => {
                let url = arguments.value()?.string()?;
                if DYNAMODB.set(url).is_err() {
                    bail!("one --dynamodb is enough");
                }
            }
            Value(name) => names.push(name.string()?),
            other => return Err(other.unexpected()).context(USAGE),
        }
    }
    let steps = select(STEPS, &names)?;

    let mut outcomes: Vec<(&Step, Outcome)> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        eprintln!("\n── {}/{} {}: {}", index + 1, steps.len(), step.name, step.proves);
        let outcome = match missing(step, &outcomes) {
            Some(need) => Outcome::NotRun(need),
            None => timed(step),
        };
        match &outcome {
            Outcome::Passed(took, _) => eprintln!("── {} passed in {}", step.name, seconds(*took)),
            Outcome::Failed(took, why) => {
                eprintln!("── {} FAILED after {}\n{why}", step.name, seconds(*took))
            }
            Outcome::NotRun(need) => eprintln!("── {} NOT RUN, since {need} failed", step.name),
        }
        outcomes.push((step, outcome));
    }
    Ok(summary(&outcomes))
}

/// The named steps and what they need, in the table's order; all of them if none is named.
fn select(steps: &'static [Step], names: &[String]) -> anyhow::Result<Vec<&'static Step>> {
    let by_name: BTreeMap<&str, &Step> = steps.iter().map(|step| (step.name, step)).collect();
    let mut wanted: Vec<&str> = Vec::new();
    let mut open: Vec<&str> = if names.is_empty() {
        by_name.keys().copied().collect()
    } else {
        names.iter().map(String::as_str).collect()
    };
    while let Some(name) = open.pop() {
        let Some(step) = by_name.get(name) else {
            bail!("there is no step {name}; `cargo xtask test --list` names them");
        };
        if !wanted.contains(&step.name) {
            wanted.push(step.name);
            open.extend(step.needs);
        }
    }
    Ok(steps.iter().filter(|step| wanted.contains(&step.name)).collect())
}

fn missing(step: &Step, outcomes: &[(&Step, Outcome)]) -> Option<&'static str> {
    let passed = |need: &str| {
        outcomes.iter().any(|(step, outcome)| step.name == need && matches!(outcome, Outcome::Passed(..)))
    };
    step.needs.iter().copied().find(|need| !passed(need))
}

fn timed(step: &Step) -> Outcome {
    let began = Instant::now();
    match (step.run)() {
        Ok(passed) => Outcome::Passed(began.elapsed(), passed),
        Err(error) => Outcome::Failed(began.elapsed(), format!("{error:#}")),
    }
}

fn summary(outcomes: &[(&Step, Outcome)]) -> ExitCode {
    println!();
    let mut total = Duration::ZERO;
    for (step, outcome) in outcomes {
        match outcome {
            Outcome::Passed(took, passed) => {
                total += *took;
                let without = match passed {
                    Passed::Whole => String::new(),
                    Passed::Without(part) => format!(" WITHOUT {part}"),
                };
                println!("{:14} {:>9}  passed{without}", step.name, seconds(*took));
            }
            Outcome::Failed(took, why) => {
                total += *took;
                println!(
                    "{:14} {:>9}  FAILED  {}",
                    step.name,
                    seconds(*took),
                    why.lines().next().unwrap_or_default()
                );
            }
            Outcome::NotRun(need) => {
                println!("{:14} {:>9}  FAILED  not run, since {need} failed", step.name, "–")
            }
        }
    }
    let passed = outcomes.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Passed(..))).count();
    let failed = outcomes.len() - passed;
    println!("{:14} {:>9}", "all", seconds(total));
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Step] = &[
        Step { name: "a", proves: "", needs: &[], run: || Ok(Passed::Whole) },
        Step { name: "b", proves: "", needs: &["a"], run: || anyhow::bail!("broken") },
        Step { name: "c", proves: "", needs: &["b"], run: || Ok(Passed::Whole) },
    ];

    fn names(steps: &[&Step]) -> Vec<&'static str> {
        steps.iter().map(|step| step.name).collect()
    }

    #[test]
    fn a_named_step_brings_what_it_needs_in_the_tables_order() {
        assert_eq!(names(&select(TABLE, &["b".to_owned()]).unwrap()), ["a", "b"]);
        assert_eq!(names(&select(TABLE, &[]).unwrap()), ["a", "b", "c"]);
        assert!(select(TABLE, &["z".to_owned()]).is_err());
    }

    #[test]
    fn a_step_whose_need_failed_counts_as_failed() {
        let outcomes = vec![(&TABLE[0], timed(&TABLE[0])), (&TABLE[1], timed(&TABLE[1]))];
        assert_eq!(missing(&TABLE[2], &outcomes), Some("b"));
        assert_eq!(missing(&TABLE[1], &outcomes), None);
    }

    #[test]
    fn the_steps_have_names_of_their_own_and_needs_that_come_before_them() {
        for (index, step) in STEPS.iter().enumerate() {
            let before: Vec<_> = STEPS[..index].iter().map(|step| step.name).collect();
            assert!(!before.contains(&step.name), "{}", step.name);
            assert!(step.needs.iter().all(|need| before.contains(need)), "{}", step.name);
        }
    }
}
