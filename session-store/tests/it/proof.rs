//! Whatever happens, a lookup equals reading everything: random histories of own and foreign writers, with something
//! happening in the middle of a call, and crashes between any two steps. Every rule of the proof is broken once, and the
//! histories show it.

mod append;
mod cost;
mod gap;
mod histories;
mod hooked;
mod listing;
mod memory;
mod naive;
mod real;
mod searching;
mod step;
mod sweep;
