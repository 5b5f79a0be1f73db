//! The login's listener against everybody who can reach it. Rows L01 to L40 of the attack table: where it listens,
//! what counts as an answer, what a request may look like, what strangers may cost, and how a login ends.

mod answers;
mod endings;
mod load;
mod pages;
mod place;
mod requests;

use crate::harness::Reply;

/// A page that says that this was not the answer, and nothing else.
#[track_caller]
fn assert_turned_away(status: u16, reply: &Reply) {
    assert_eq!(status, reply.status, "{reply:?}");
    for word in ["code=", "state=", "iss="] {
        assert!(!reply.head.contains(word) && !reply.body.contains(word), "{reply:?}");
    }
}
