//! Credential helpers, pure: what a client writes in, what it wants to read out. Their wire words stand here and nowhere
//! else; `command/helper` reads, finds the token and prints.

pub mod docker;
pub mod git;
pub mod kubectl;
