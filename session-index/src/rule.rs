//! The rules that a proof stands on, each of which tests can switch off to see that its absence shows. Knows no state.

/// One rule of the proof. In production all of them hold; a test that nothing catches without a rule is no test of it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Rule {
    /// A proof needs the directory's change time to be the recorded one.
    ChangeTime,
    /// A proof needs the boot to be the recorded one.
    Boot,
    /// A proof needs the pointer's epoch to be the state's.
    SameEpoch,
    /// Epochs are never used twice.
    FreshEpoch,
    /// A change advances the state only from the stamp that is recorded.
    FirstStat,
    /// A change records the stamp that it took right after its step, not a later one.
    SecondStat,
    /// Pointers are written before the state.
    PointersFirst,
    /// The state is left alone when a pointer could not be written.
    PointersWritten,
    /// What does not verify is unknown, never "none".
    DamagedIsUnknown,
    /// What a walk found is recorded only if the directory has not changed since before it.
    Unchanged,
    /// A stamp that may not have ticked on is not recorded.
    Settled,
    /// What was saved replaces a pointer with proof only where there was a proven one.
    KnownBefore,
    /// What was saved replaces a pointer only if it wins against what is pointed to, as that reads now.
    Wins,
    /// Where what is pointed to is not what was recorded, nothing is known.
    PointedVerifies,
    /// A pointer's place in the order is raised above every session that is saved.
    Raised,
    /// A session that fell in the order does not keep its proof.
    Fallen,
    /// A session is recorded under the canonical form of its directory, too, or nothing is proven.
    Resolved,
    /// What a proven pointer names is believed only if it reads as recorded.
    HintVerifies,
    /// Both pointers of a workspace must be proven.
    EveryKey,
    /// A session that could not be looked at stands against a proof.
    Unreadable,
    /// What was brought back from the trash is recorded like what was saved.
    Restored,
    /// Renames happen under the index lock.
    Locked,
    /// An append takes out of the index what it makes untrue, before it is written.
    Forgotten,
    /// An append to the session that is pointed to looks again, after its write, whether it still is.
    TurnAfter,
    /// What a walk found is compared once more with what is pointed to, as that reads under the lock.
    Reread,
    /// A lookup reads the state before the pointers.
    StateFirst,
    /// An append that cannot tell the index of itself gives the directory another stamp.
    Disturbed,
    /// A sweep gives the directory another stamp first.
    Swept,
}

/// Which rules hold; all but for tests.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    broken: u32,
}

impl Rules {
    /// Whether a rule holds.
    #[must_use]
    pub fn hold(self, rule: Rule) -> bool {
        self.broken & (1 << rule as u8) == 0
    }

    /// All rules but one.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn without(self, rule: Rule) -> Self {
        Self {
            broken: self.broken | 1 << rule as u8,
        }
    }
}
