//! `loopin stdio`: the edge of the conversation. The main thread reads, a few threads carry out what takes a moment,
//! every login has one of its own, and one thread writes.
//!
//! Whoever reads slowly is waited for, from the answer back to the reading of the next request: nothing piles up.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use serde_json::Value;

use super::{
    context::{Context, grant},
    login::scopes,
};
use crate::{
    cli::GrantName,
    deadlines::USER_SIGNS_IN,
    grants::{
        Canceller, Event, Grants, Handover, LastPage, LoginRequest, NewSubject, Prompts, RevocationScope, Settings,
        Stores, Way, Weight,
    },
    refresh::{MinTtl, Rejected, Wish},
    report::{self, Asked, Code, Failure, HandedOut, Outcome, TokenForm, Wire, Words},
    stdio::{
        Cancelled, Fault, HandedOver, How, Id, Line, Lines, Login, LoginEvent, Session, Step, Token, WaitsFor, Work,
        cancelled, failed, handed_over, note, succeeded,
    },
    system::{clock, parent},
};

/// Threads for what takes a moment.
const WORKERS: usize = 8;
/// Requests that may wait for one of them. While they do, what comes behind them is still seen, `cancel` above all.
const WAITING: usize = 256;
/// How often whoever waits looks whether the parent is still there.
const GLANCE: Duration = Duration::from_millis(100);
/// For what is under way when the conversation ends. A refresh that takes longer goes on by itself.
const GRACE: Duration = Duration::from_millis(700);
/// For the last lines to a parent that reads slowly.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// Longest time in seconds that may be asked for: a day.
const LONGEST: u64 = 24 * 3600;

/// Serves until standard input ends, and gives the exit code.
pub fn run(context: &Context) -> u8 {
    let desk = Arc::new(Desk { wire: Wire::open(), load: Mutex::default(), changed: Condvar::new() });
    let settings = Settings { prompts: Prompts::Never, ..context.settings.clone() };
    let farewell = converse(&desk, &settings);
    desk.end();
    if let Some(line) = farewell {
        desk.wire.push(line);
    }
    desk.wire.drain(LAST_WORDS);
    0
}

/// Reads to the end, and gives what is to be the last line.
fn converse(desk: &Arc<Desk>, settings: &Settings) -> Option<String> {
    let (mut lines, mut buffer) = (Lines::default(), vec![0; 64 * 1024]);
    loop {
        let count = parent::read(&mut buffer).unwrap_or(0);
        let mut bytes = &buffer[..count];
        let mut next = || if count == 0 { lines.rest() } else { lines.take(&mut bytes) };
        while let Some(line) = next() {
            if let Some(Ended(farewell)) = desk.receive(settings, &line) {
                return farewell;
            }
        }
        if count == 0 || desk.wire.reader_is_gone() {
            return None;
        }
    }
}

/// The conversation is over, with these as the last words.
struct Ended(Option<String>);

struct Desk {
    wire: Wire,
    load: Mutex<Load>,
    changed: Condvar,
}

#[derive(Default)]
struct Load {
    session: Session,
    logins: BTreeMap<Id, Waiting>,
    /// Cannot be done half: the end of the conversation waits for them.
    logouts: BTreeSet<Id>,
    waiting: VecDeque<Job>,
    workers: usize,
    /// Logins that are answered, while their browser still gets its last page.
    lingering: usize,
}

/// What reaches a login that is open.
#[derive(Clone, Default)]
struct Waiting {
    canceller: Canceller,
    handover: Handover,
}

struct Job {
    id: Id,
    work: Work,
    settings: Settings,
}

impl Desk {
    fn receive(self: &Arc<Self>, settings: &Settings, line: &Line) -> Option<Ended> {
        let step = self.load().session.receive(line);
        match step {
            Step::Answer(line) => self.answer(line),
            Step::Begin(id, work) => self.take_on(Job { id, work, settings: settings.clone() }),
            Step::Cancel { login, request } => {
                let waiting = self.load().logins.get(&login).cloned();
                let outcome = waiting.map_or(Cancelled::TooLate, |waiting| waiting.canceller.cancel());
                if let Some(id) = request {
                    self.answer(cancelled(&id, outcome));
                }
            }
            Step::HandOver { login, address, request } => {
                let waiting = self.load().logins.get(&login).cloned();
                let outcome = waiting.map_or(HandedOver::NobodyWaits, |waiting| waiting.handover.give(address));
                if let Some(id) = request {
                    self.answer(handed_over(&id, outcome));
                }
            }
            Step::LogIn(id, login) => self.log_in(settings, id, login),
            Step::End(farewell) => return Some(Ended(farewell)),
            Step::Nothing => {}
        }
        None
    }

    /// By the thread that reads, which a slow reader must not keep from seeing the end.
    fn answer(&self, line: String) {
        self.wire.wait_for_room(parent::is_gone);
        self.wire.push(line);
    }

    fn take_on(self: &Arc<Self>, job: Job) {
        let mut load = self.load();
        while load.waiting.len() >= WAITING && !parent::is_gone() {
            load = self.wait(load, GLANCE);
        }
        load.waiting.push_back(job);
        if load.workers < WORKERS {
            load.workers += 1;
            let desk = Arc::clone(self);
            thread::spawn(move || desk.work());
        }
    }

    /// One worker, until there is nothing left to do.
    fn work(&self) {
        loop {
            let mut load = self.load();
            let Some(Job { id, work, settings }) = load.waiting.pop_front() else {
                load.workers -= 1;
                return;
            };
            if matches!(work, Work::Logout(_)) {
                load.logouts.insert(id.clone());
            }
            self.changed.notify_all();
            drop(load);
            let result = careful(|| carry_out(settings, work));
            self.finish(&id, result);
        }
    }

    fn log_in(self: &Arc<Self>, settings: &Settings, id: Id, login: Login) {
        let (wire, own) = (self.wire.clone(), id.clone());
        let hear = Arc::new(move |event: &Event<'_>| match told(event) {
            Some(waiting @ LoginEvent::Waiting { .. }) => wire.offer(note(&own, &waiting)),
            Some(event) => wire.push(note(&own, &event)),
            None => {}
        });
        let last_page = LastPage::default();
        let settings = Settings { hear, last_page: last_page.clone(), ..settings.clone() };
        let waiting = Waiting::default();
        self.load().logins.insert(id.clone(), waiting.clone());
        let desk = Arc::clone(self);
        thread::spawn(move || {
            let result = careful(|| sign_in(settings, login, waiting));
            desk.load().lingering += 1;
            desk.finish(&id, result);
            last_page.wait();
            desk.load().lingering -= 1;
            desk.changed.notify_all();
        });
    }

    /// The id is free again before the client can know it, and not before there is room: what is open is bounded.
    fn finish(&self, id: &Id, result: Result<Value, Failure>) {
        let line = match result {
            Ok(result) => succeeded(id, &result),
            Err(failure) => failed(Some(id), &fault(failure)),
        };
        self.wire.wait_for_room(|| false);
        let mut load = self.load();
        // It may have been answered at the end of the conversation.
        if load.session.is_open(id) {
            load.session.close(id);
            self.wire.push(line);
        }
        load.logins.remove(id);
        load.logouts.remove(id);
        self.changed.notify_all();
    }

    /// Waits for what was requested: a moment for most, to its end for what counts once. Requests that still wait for a
    /// worker get that moment too, since a program may write them all and close its end at once.
    fn end(&self) {
        let deadline = clock::instant() + GRACE;
        let mut load = self.load();
        let too_late = |waiting: &Waiting| waiting.canceller.cancel() == Cancelled::TooLate;
        let decided: Vec<Id> =
            load.logins.iter().filter(|(_, waiting)| too_late(waiting)).map(|(id, _)| id.clone()).collect();
        loop {
            let counts = load.logouts.len() + decided.iter().filter(|id| load.logins.contains_key(id)).count();
            let left = deadline.saturating_duration_since(clock::instant());
            if left.is_zero() || self.wire.reader_is_gone() {
                load.waiting.clear();
            }
            let idle = load.workers == 0 && load.logins.is_empty() && load.lingering == 0;
            if idle || (counts == 0 && left.is_zero()) {
                break;
            }
            load = self.wait(load, left.max(GLANCE));
        }
        let why = Failure::new(Code::Unavailable, "the conversation ended before the answer");
        for id in load.session.open().cloned().collect::<Vec<_>>() {
            load.session.close(&id);
            self.wire.push(failed(Some(&id), &fault(why.clone())));
        }
    }

    fn load(&self) -> MutexGuard<'_, Load> {
        self.load.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, load: MutexGuard<'a, Load>, patience: Duration) -> MutexGuard<'a, Load> {
        self.changed.wait_timeout(load, patience).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Every request gets an answer, even if we have a fault.
fn careful(work: impl FnOnce() -> Result<Value, Failure>) -> Result<Value, Failure> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Failure::new(Code::Internal, "internal fault; please report it")))
}

fn carry_out(settings: Settings, work: Work) -> Result<Value, Failure> {
    let grants = Grants::open(settings)?;
    let outcome = match work {
        Work::Logout(logout) => {
            let integration = &grants.integration(Some(&logout.integration))?.name;
            let name = GrantName { account: logout.account, action: logout.action };
            let scope = if logout.local { RevocationScope::Local } else { RevocationScope::Provider };
            Outcome::LoggedOut(grants.logout(&grant(integration, &name)?, scope)?)
        }
        Work::Status(status) => {
            let asked = if status.integration.is_some() { Asked::One } else { Asked::All };
            Outcome::Status { status: grants.status(status.integration.as_deref(), Stores::Here)?, asked }
        }
        Work::Token(token) => hand_out(&grants, token)?,
    };
    Ok(outcome.json(clock::now()))
}

fn hand_out(grants: &Grants, token: Token) -> Result<Outcome, Failure> {
    let min_ttl = token.min_ttl.map(|seconds| time("min_ttl", seconds)).transpose()?;
    let rejected = token.rejected.map(|text| {
        Rejected::parse(&text)
            .ok_or_else(|| Failure::new(Code::Usage, "rejected: 8 to 64 hexadecimal digits of the token's SHA-256"))
    });
    let wish = Wish { min_ttl: min_ttl.map_or(MinTtl::Margin, MinTtl::AtLeast), rejected: rejected.transpose()? };
    let integration = &grants.integration(token.integration.as_deref())?.name;
    let name = GrantName { account: token.account, action: token.action };
    let id = grant(integration, &name)?;
    let grant = Box::new(grants.access_token(&id, &wish)?.grant);
    let token = HandedOut::AccessToken { missing: grants.missing(&id, &grant)?, grant };
    Ok(Outcome::Token { token, form: TokenForm::Json })
}

fn sign_in(settings: Settings, login: Login, waiting: Waiting) -> Result<Value, Failure> {
    let grants = Grants::open(settings)?;
    let integration = &grants.integration(login.integration.as_deref())?.name;
    let name = GrantName { account: login.account, action: login.action };
    let request = LoginRequest {
        new_subject: match name.account {
            Some(_) => NewSubject::IsRefused,
            None => NewSubject::Replaces,
        },
        scopes: scopes(&login.scopes)?,
        opening: login.open,
        way: match login.how {
            How::Auto => Way::Redirect,
            How::Device => Way::DeviceCode,
        },
        timeout: login.timeout.map_or(Ok(USER_SIGNS_IN), |seconds| time("timeout", seconds))?,
        prompt: login.prompt,
        login_hint: login.login_hint,
        parameters: login.params.into_iter().collect(),
        canceller: waiting.canceller,
        handover: waiting.handover,
        ..LoginRequest::new(grant(integration, &name)?)
    };
    Ok(Outcome::SignedIn(grants.shared_login(&request)?).json(clock::now()))
}

/// What the client reads about an event.
fn told(event: &Event<'_>) -> Option<LoginEvent> {
    Some(match event {
        Event::BrowserOpening
        | Event::Listening(_)
        | Event::PollFailed(_, Weight::Detail)
        | Event::Storing
        | Event::Stray(_, Weight::Detail)
        | Event::TokenResponse(_) => return None,
        Event::CodeReceived => LoginEvent::Code,
        Event::DeviceCode(prompt) => LoginEvent::Device {
            user_code: prompt.user_code.clone(),
            verification_uri: prompt.verification_uri.clone(),
            verification_uri_complete: prompt.verification_uri_complete.clone(),
            expires_at: report::time(prompt.expires_at),
        },
        Event::Done => LoginEvent::Done,
        Event::NotTheResponse(why) => LoginEvent::NotTheAnswer(why.to_string()),
        Event::Exchanging => LoginEvent::Exchanging,
        Event::Stray(why, _) => LoginEvent::Stray(why.to_string()),
        Event::Url(url) => LoginEvent::Url((*url).to_owned()),
        Event::Waiting(left) => LoginEvent::Waiting { left: *left, on: WaitsFor::Person },
        Event::WaitingForLogin(left) => LoginEvent::Waiting { left: *left, on: WaitsFor::Login },
        other => LoginEvent::Note(Words(other).to_string()),
    })
}

fn time(name: &str, seconds: u64) -> Result<Duration, Failure> {
    match seconds {
        1..=LONGEST => Ok(Duration::from_secs(seconds)),
        _ => Err(Failure::new(Code::Usage, format!("{name}: between 1 and {LONGEST} seconds"))),
    }
}

fn fault(failure: Failure) -> Fault {
    Fault::of_command(failure.code.word(), failure.code.exit(), failure.what, failure.remedy)
}
