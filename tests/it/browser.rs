//! Opening the browser: the true URL as one argument, no shell, nothing of ours to inherit, and never waited for.

mod conduct;
mod corpus;
mod variables;
