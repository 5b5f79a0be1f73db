//! The program against parts that nobody here wrote: authorization servers of five makes, headless Chromium, gnome-keyring, nginx,
//! Caddy. `parts/` has the scripts that start them; one file a part here, and names of tests carry the id of the row in
//! docs/threats.md that they hold.

#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "tests read the environment")]

mod chromium;
mod clients;
mod device;
mod harness;
mod keychain;
mod provider;
mod refresh;
mod relay;
mod serve;
mod servers;
