//! How a case is measured: warm-up, compared answers, interleaved rounds, medians.
//!
//! Owns the order in which contenders run; must not know what they do or what their times mean.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::allocator::{self, Allocated};
use crate::answer::{Answer, WrongAnswer};
use crate::stats::Summary;

/// What a contender stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// This project's way.
    Ours,
    /// The algorithm that all are compared with.
    Reference,
    /// Another engine or library.
    Rival,
    /// What the machine must do at least. The first floor of a case is the one that gates mean.
    Floor,
}

/// Sees the beginning and the end of exactly the measured part of one run.
pub trait Watch {
    /// The measured part begins now.
    fn begin(&mut self);
    /// The measured part has ended.
    fn end(&mut self);
}

/// Whether a run also has to say what it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Want {
    /// The work only.
    Work,
    /// The work, and its answer, which is made outside the measured part.
    Answer,
}

type Operation = Box<dyn FnMut(&mut dyn Watch, Want) -> Result<Option<Answer>>>;
type Preparation = Box<dyn FnMut() -> Result<()>>;

/// One way of doing the work of a case.
pub struct Contender {
    name: &'static str,
    role: Role,
    prepare: Option<Preparation>,
    operation: Operation,
    once: bool,
}

impl std::fmt::Debug for Contender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contender")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl Contender {
    /// A contender that does `work`, and says by `answer` what came out. Only `work` is measured; its result is dropped
    /// outside the measured part.
    pub fn new<T: 'static>(
        name: &'static str,
        role: Role,
        mut work: impl FnMut() -> Result<T> + 'static,
        mut answer: impl FnMut(&T) -> Result<Answer> + 'static,
    ) -> Self {
        let operation = move |watch: &mut dyn Watch, want: Want| {
            watch.begin();
            let outcome = kernel(&mut work);
            watch.end();
            let result = std::hint::black_box(outcome?);
            if want == Want::Answer {
                answer(&result).map(Some)
            } else {
                Ok(None)
            }
        };
        Self {
            name,
            role,
            prepare: None,
            operation: Box::new(operation),
            once: false,
        }
    }

    /// Does this before each run, outside the measured part.
    #[must_use]
    pub fn prepare(mut self, prepare: impl FnMut() -> Result<()> + 'static) -> Self {
        self.prepare = Some(Box::new(prepare));
        self
    }

    /// Takes part in the first round only: for what is there to judge answers and takes longer than all others together.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// The name under which the contender is printed.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What the contender stands for.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Runs once under a watch.
    ///
    /// # Errors
    ///
    /// Whatever the work or its preparation fails with, under the contender's name.
    pub fn run(&mut self, watch: &mut dyn Watch, want: Want) -> Result<Option<Answer>> {
        if let Some(prepare) = &mut self.prepare {
            prepare().with_context(|| format!("prepare {}", self.name))?;
        }
        (self.operation)(watch, want).with_context(|| format!("run {}", self.name))
    }

    /// Runs once under a watch and insists on an answer.
    fn answer(&mut self, watch: &mut dyn Watch) -> Result<Answer> {
        let answer = self.run(watch, Want::Answer)?;
        answer.with_context(|| format!("run {}: it gave no answer", self.name))
    }
}

/// The measured part. Never inlined, so that an instruction counter can be switched on for exactly this function.
#[inline(never)]
fn kernel<T>(work: &mut dyn FnMut() -> Result<T>) -> Result<T> {
    work()
}

/// How long a case may take and how often its contenders run.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// The time that all rounds of a case together should take.
    pub budget: Duration,
    /// No fewer rounds than this, however long they take.
    pub least: usize,
    /// No more rounds than this, however short they are.
    pub most: usize,
}

/// What is known of one contender after a case.
#[derive(Clone, Debug)]
pub struct Timing {
    /// The contender's name.
    pub name: &'static str,
    /// What it stands for.
    pub role: Role,
    /// Its times.
    pub time: Summary,
    /// What it allocated in one more run that was not timed.
    pub allocated: Allocated,
}

/// Runs the contenders of a case: each once to warm up and for its answer; the answers compared; then all in turn
/// (A B C A B C) until the effort is spent; and each once more, untimed, for its allocations and for its answer again.
///
/// # Errors
///
/// [`WrongAnswer`] if a contender disagrees, or what a contender fails with.
pub fn measure(case: &str, contenders: &mut [Contender], effort: Effort) -> Result<Vec<Timing>> {
    ensure!(
        !contenders.is_empty(),
        "measure {case}: it has no contenders"
    );
    let start = Instant::now();
    let warm_up = contenders
        .iter_mut()
        .map(|contender| contender.answer(&mut Nothing))
        .collect::<Result<Vec<_>>>()?;
    // A first run is slower than the later ones, so this errs towards few rounds where they are long.
    let rounds = rounds(effort, start.elapsed());
    compare(case, contenders, &warm_up)?;

    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..rounds {
        for (contender, times) in contenders.iter_mut().zip(&mut times) {
            if contender.once && round > 0 {
                continue;
            }
            let mut watch = StopWatch::default();
            contender.run(&mut watch, Want::Work)?;
            times.push(watch.elapsed);
        }
    }

    let mut last = Vec::new();
    let mut allocations = Vec::new();
    for contender in &mut *contenders {
        let mut watch = Allocations::default();
        last.push(contender.answer(&mut watch)?);
        allocations.push(watch.0);
    }
    compare(case, contenders, &last)?;

    let timings = contenders.iter().zip(&times).zip(allocations).filter_map(
        |((contender, times), allocated)| {
            let time = Summary::of(times)?;
            let Contender { name, role, .. } = *contender;
            Some(Timing {
                name,
                role,
                time,
                allocated,
            })
        },
    );
    Ok(timings.collect())
}

fn rounds(effort: Effort, first: Duration) -> usize {
    let affordable = effort.budget.as_nanos() / first.as_nanos().max(1);
    usize::try_from(affordable)
        .unwrap_or(usize::MAX)
        .clamp(effort.least, effort.most)
}

fn compare(case: &str, contenders: &[Contender], answers: &[Answer]) -> Result<()> {
    let judge = contenders
        .iter()
        .position(|contender| contender.role == Role::Reference)
        .unwrap_or(0);
    for (contender, answer) in contenders.iter().zip(answers) {
        if let Some((fact, expected, found)) = answers[judge].difference(answer) {
            let judge = contenders[judge].name.to_owned();
            let wrong = WrongAnswer {
                case: case.to_owned(),
                judge,
                contender: contender.name.to_owned(),
                fact,
                expected,
                found,
            };
            return Err(wrong.into());
        }
    }
    Ok(())
}

#[derive(Default)]
struct StopWatch {
    start: Option<Instant>,
    elapsed: Duration,
}

impl Watch for StopWatch {
    fn begin(&mut self) {
        self.start = Some(Instant::now());
    }

    fn end(&mut self) {
        self.elapsed = self
            .start
            .take()
            .map_or(Duration::ZERO, |start| start.elapsed());
    }
}

#[derive(Default)]
struct Allocations(Allocated);

impl Watch for Allocations {
    fn begin(&mut self) {
        allocator::start();
    }

    fn end(&mut self) {
        self.0 = allocator::stop();
    }
}

/// A watch that does not look.
#[derive(Debug)]
pub struct Nothing;

impl Watch for Nothing {
    fn begin(&mut self) {}
    fn end(&mut self) {}
}
