//! `[limits]`: the limits in the configuration file, each with its bounds.

use std::{ops::RangeInclusive, time::Duration};

use serde::Deserialize;
use serde_spanned::Spanned;

use super::{Rate, Rates};
use crate::catalog::Fault;

const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

/// Every key is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    starts_per_minute: Option<Spanned<u32>>,
    unfinished_flows: Option<Spanned<u32>>,
    failed_callbacks_per_minute: Option<Spanned<u32>>,
    token_reads_per_second: Option<Spanned<u32>>,
    requests_per_second: Option<Spanned<u32>>,
    forced_refresh_s: Option<Spanned<u32>>,
}

impl Table {
    /// # Errors
    /// The first number that is out of bounds.
    pub fn rates(&self) -> Result<Rates, Fault> {
        let usual = Rates::default();
        let rate = |name: &str, value: &Option<Spanned<u32>>, usual: Rate, period| {
            Ok(within(name, value.as_ref(), 1..=100_000)?.map_or(usual, |burst| Rate { burst, period }))
        };
        let forced = within("forced_refresh_s", self.forced_refresh_s.as_ref(), 1..=3600)?;
        let flows = within("unfinished_flows", self.unfinished_flows.as_ref(), 1..=1000)?;
        Ok(Rates {
            starts: rate("starts_per_minute", &self.starts_per_minute, usual.starts, MINUTE)?,
            unfinished_flows: flows.unwrap_or(usual.unfinished_flows),
            failed_callbacks: rate(
                "failed_callbacks_per_minute",
                &self.failed_callbacks_per_minute,
                usual.failed_callbacks,
                MINUTE,
            )?,
            token_reads: rate("token_reads_per_second", &self.token_reads_per_second, usual.token_reads, SECOND)?,
            requests: rate("requests_per_second", &self.requests_per_second, usual.requests, SECOND)?,
            forced_refreshes: forced.map_or(usual.forced_refreshes, |seconds| Rate {
                burst: 1,
                period: Duration::from_secs(seconds.into()),
            }),
        })
    }
}

fn within(name: &str, value: Option<&Spanned<u32>>, bounds: RangeInclusive<u32>) -> Result<Option<u32>, Fault> {
    let Some(value) = value else { return Ok(None) };
    let (least, most) = (bounds.start(), bounds.end());
    match bounds.contains(value.get_ref()) {
        true => Ok(Some(*value.get_ref())),
        false => Err(Fault::new(
            format!("{name}: {} is out of bounds", value.get_ref()),
            format!("write a number from {least} to {most}, or remove the line for the default"),
        )
        .at(value)),
    }
}
