//! Named, timed steps that stop at the first failure.
//!
//! Owns how a run of several checks is shown; must not know what the checks are.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// One check of a run.
pub(crate) struct Step<'a> {
    name: &'static str,
    check: Box<dyn Fn() -> Result<()> + 'a>,
}

impl<'a> Step<'a> {
    /// Names a check.
    pub(crate) fn new(name: &'static str, check: impl Fn() -> Result<()> + 'a) -> Self {
        Self {
            name,
            check: Box::new(check),
        }
    }
}

/// Runs the steps in order, or only the named one, and prints what each cost.
///
/// # Errors
///
/// The first failure, which names its step; or a name that no step has.
pub(crate) fn run(verb: &str, steps: &[Step<'_>], only: Option<&str>) -> Result<()> {
    let chosen: Vec<&Step<'_>> = steps
        .iter()
        .filter(|step| only.is_none_or(|name| name == step.name))
        .collect();
    if chosen.is_empty() {
        let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
        bail!(
            "{verb} {}: no such step, there are {}",
            only.unwrap_or_default(),
            names.join(", ")
        );
    }
    let mut times = Vec::new();
    for step in chosen {
        println!("== {verb} {}", step.name);
        let start = Instant::now();
        let outcome = (step.check)();
        times.push((step.name, start.elapsed()));
        if outcome.is_err() {
            print_times(verb, &times);
        }
        outcome.with_context(|| format!("{verb} {}", step.name))?;
    }
    print_times(verb, &times);
    Ok(())
}

fn print_times(verb: &str, times: &[(&str, Duration)]) {
    for (name, time) in times {
        println!("   {verb} {name:<12} {:>7.1} s", time.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_failing_step_is_named_and_stops_the_run() {
        let later = Cell::new(0);
        let steps = [
            Step::new("good", || Ok(())),
            Step::new("bad", || bail!("read x: gone")),
            Step::new("later", || {
                later.set(later.get() + 1);
                Ok(())
            }),
        ];
        let error = run("ci", &steps, None).unwrap_err();
        assert_eq!(format!("{error:#}"), "ci bad: read x: gone");
        assert_eq!(later.get(), 0);

        run("ci", &steps, Some("later")).unwrap();
        assert_eq!(later.get(), 1);
        assert!(run("ci", &steps, Some("none")).is_err());
    }
}
