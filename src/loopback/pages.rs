//! What the browser shows: constants. Nothing of a request is ever in them, and nothing of them runs or is fetched.

use super::Outcome;
use crate::reply::{Reply, page};

macro_rules! told {
    ($sign:literal, $mark:literal, $title:literal, $text:literal) => {
        page!(
            title: concat!($title, " · loopin"),
            style: "",
            concat!(
                "<svg class=\"",
                $sign,
                "\" viewBox=\"0 0 48 48\" aria-hidden=\"true\"><circle cx=\"24\" cy=\"24\" r=\"22\"/><path d=\"",
                $mark,
                "\"/></svg>\n<h1>",
                $title,
                "</h1>\n<p>",
                $text,
                "</p>\n"
            )
        )
    };
}

const DONE: &str = told!(
    "good",
    "M14 25l7 7 14-15",
    "You are signed in",
    "The tokens are stored. You can close this tab and go back to the program that asked."
);

const FAILED: &str = told!(
    "bad",
    "M16 16l16 16M32 16L16 32",
    "You are not signed in",
    "Nothing was stored. The program that asked says why."
);

const RECEIVED: &str = told!(
    "wait",
    "M24 12v13l8 5",
    "Your answer was received",
    "The provider is still being asked for the tokens. See the program that asked for how it ends."
);

const ALREADY: &str = told!(
    "wait",
    "M24 12v13l8 5",
    "This answer was received already",
    "A sign-in link counts once. See the program that asked for how the sign-in ended."
);

const UNRELATED: &str = told!(
    "bad",
    "M16 16l16 16M32 16L16 32",
    "This sign-in link does not belong to the sign-in that is waiting",
    "Nothing was changed. Use the tab that the program opened last, or start the sign-in again."
);

const OTHER_USER: &str = told!(
    "bad",
    "M16 16l16 16M32 16L16 32",
    "This answer came from another user of this computer",
    "It was not used, because the provider does not promise to check whose sign-in it belongs to. Open the sign-in link as the user who started the sign-in."
);

const REFUSED: &str = told!(
    "bad",
    "M16 16l16 16M32 16L16 32",
    "This answer was refused",
    "It did not come from the provider that was asked. Nothing was stored."
);

pub(super) fn landing(outcome: Outcome) -> Reply {
    Reply::html(
        200,
        match outcome {
            Outcome::Done => DONE,
            Outcome::Failed => FAILED,
        },
    )
}

/// For a browser that has waited long enough while the provider has not answered yet.
pub fn received() -> Reply {
    Reply::html(200, RECEIVED)
}

pub(super) fn already_answered() -> Reply {
    Reply::html(410, ALREADY)
}

pub(super) fn unrelated() -> Reply {
    Reply::html(400, UNRELATED)
}

pub(super) fn other_user() -> Reply {
    Reply::html(403, OTHER_USER)
}

pub(super) fn refused() -> Reply {
    Reply::html(400, REFUSED)
}
