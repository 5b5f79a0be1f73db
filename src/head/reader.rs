//! The incremental scan behind [`HeadReader`]: a state per place in a head, runs of bytes, what ends a run.
//! What a head consists of and how much may be read is declared one level up.

use std::{mem, ops::Range};

use memchr::{memchr, memchr3, memrchr};

use super::{Authorization, Head, Host, Limits, Method, Persistence, Progress, Rejection};

/// Reads request heads out of a stream of bytes.
///
/// The outcome depends on the bytes alone, never on how they were cut into pieces. After [`Progress::Complete`]
/// the reader is as new; after [`Progress::Reject`] it parses nothing more and repeats the rejection.
pub struct HeadReader {
    limits: Limits,
    state: State,
    /// Bytes of this head so far.
    seen: usize,
    /// Field lines so far.
    fields: usize,
    /// What is kept of the line being read.
    line: Vec<u8>,
    head: Head,
    content_length: Option<u64>,
}

impl HeadReader {
    /// Ready for the first byte.
    pub fn new(limits: Limits) -> Self {
        let (line, head) = (Vec::new(), Head::blank());
        Self { limits, state: State::RequestLine, seen: 0, fields: 0, line, head, content_length: None }
    }

    /// Reads on. Costs time in proportion to the new bytes only.
    pub fn push(&mut self, bytes: &[u8]) -> Progress {
        match self.scan(bytes) {
            Ok(None) => Progress::NeedMore,
            Ok(Some(consumed)) => {
                let mut head = mem::replace(&mut self.head, Head::blank());
                head.content_length = self.content_length.take().unwrap_or(0);
                (self.state, self.seen, self.fields) = (State::RequestLine, 0, 0);
                // The value of a field that is not kept leaves nothing in it.
                self.line.clear();
                Progress::Complete { head, consumed }
            }
            Err(rejection) => {
                *self = Self { state: State::Rejected(rejection), ..Self::new(self.limits) };
                Progress::Reject(rejection)
            }
        }
    }

    /// Bytes of memory kept for the head being read.
    pub fn held(&self) -> usize {
        self.line.capacity() + self.head.held()
    }

    /// No byte of a head has arrived yet.
    pub fn is_empty(&self) -> bool {
        self.seen == 0 && !matches!(self.state, State::Rejected(_))
    }

    /// The number of bytes up to the end of the head, or `None` if its end is not among them.
    fn scan(&mut self, bytes: &[u8]) -> Result<Option<usize>, Rejection> {
        if let State::Rejected(rejection) = self.state {
            return Err(rejection);
        }
        // Bytes past the limit are not looked at, so that the verdict is the same for every way to cut them.
        let window = &bytes[..bytes.len().min(self.limits.head - self.seen)];
        let mut at = 0;
        while at < window.len() {
            let (taken, end) = match self.whole_line(&window[at..])? {
                Some(line) => line,
                None => self.step(&window[at..])?,
            };
            at += taken;
            if end == End::Reached {
                return Ok(Some(at));
            }
        }
        self.seen += at;
        match self.state {
            _ if self.seen < self.limits.head => Ok(None),
            State::RequestLine | State::Ending(Line::Request) => Err(Rejection::TargetTooLong),
            _ => Err(Rejection::FieldsTooLarge),
        }
    }

    /// Takes a line in one piece, if it begins here and its end is here. `None` where it does not, and for every line
    /// with a fault in it: what that is, [`HeadReader::step`] finds.
    fn whole_line(&mut self, rest: &[u8]) -> Result<Option<(usize, End)>, Rejection> {
        match self.state {
            State::RequestLine if self.line.is_empty() => {
                let length = run(rest, is_printable);
                if length == 0 || length > self.limits.request_line || !rest[length..].starts_with(b"\r\n") {
                    return Ok(None);
                }
                let (method, target, persistence) = request_line(&rest[..length])?;
                self.head.target = rest[target].to_vec();
                (self.head.method, self.head.persistence) = (method, persistence);
                self.state = State::FieldStart;
                Ok(Some((length + 2, End::Ahead)))
            }
            State::FieldStart if rest.starts_with(b"\r\n") => Ok(Some((2, End::Reached))),
            State::FieldStart => {
                let length = rest.iter().take_while(|&&byte| is_token(byte)).count();
                let (name, Some((b':', value))) = (&rest[..length], rest[length..].split_first()) else {
                    return Ok(None);
                };
                let Some(end) = memchr3(b'\r', b'\n', 0, value) else { return Ok(None) };
                if length == 0 || self.fields == self.limits.fields || !value[end..].starts_with(b"\r\n") {
                    return Ok(None);
                }
                if let Some(kept) = Kept::named(name) {
                    let value = after_blanks(&value[..end]);
                    if value.len() > LONGEST_VALUE {
                        return Ok(None);
                    }
                    self.field(kept, before_blanks(value))?;
                }
                self.fields += 1;
                Ok(Some((length + 1 + end + 2, End::Ahead)))
            }
            _ => Ok(None),
        }
    }

    /// Takes at least one byte of `rest`, which is not empty: a run of one kind, and the byte that ends it.
    fn step(&mut self, rest: &[u8]) -> Result<(usize, End), Rejection> {
        let taken = match self.state {
            State::RequestLine => {
                let length = run(rest, is_printable);
                keep(&mut self.line, &rest[..length], self.limits.request_line, Rejection::TargetTooLong)?;
                length
            }
            State::Name => {
                let length = run(rest, is_token);
                // Beyond the longest name that is known nothing is kept: the name is some other one.
                let room = (LONGEST_NAME + 1).saturating_sub(self.line.len());
                self.line.extend_from_slice(&rest[..length.min(room)]);
                length
            }
            State::Value(kept) => {
                let length = run(rest, is_opaque);
                if kept.is_some() {
                    let new = if self.line.is_empty() { after_blanks(&rest[..length]) } else { &rest[..length] };
                    keep(&mut self.line, new, LONGEST_VALUE, Rejection::FieldsTooLarge)?;
                }
                length
            }
            State::FieldStart | State::Ending(_) | State::Rejected(_) => 0,
        };
        match rest.get(taken) {
            None => Ok((taken, End::Ahead)),
            Some(&stop) => Ok((taken + 1, self.stop(stop)?)),
        }
    }

    /// Acts on the one byte after a run. Only CR LF ends a line (RFC 9112 §2.2 would let a bare LF pass).
    fn stop(&mut self, byte: u8) -> Result<End, Rejection> {
        self.state = match (self.state, byte) {
            (State::RequestLine, b'\r') => State::Ending(Line::Request),
            (State::FieldStart, b'\r') => State::Ending(Line::Empty),
            (State::Value(kept), b'\r') => State::Ending(Line::Field(kept)),
            // A token byte begins a name; a space here would be an obsolete fold (RFC 9112 §5.2).
            (State::FieldStart, first) if is_token(first) => {
                self.fields += 1;
                if self.fields > self.limits.fields {
                    return Err(Rejection::FieldsTooLarge);
                }
                self.line.push(first);
                State::Name
            }
            // No space may stand before the colon (RFC 9112 §5.1).
            (State::Name, b':') => {
                let kept = Kept::named(&self.line);
                self.line.clear();
                State::Value(kept)
            }
            (State::Ending(line), b'\n') => {
                self.line_read(line)?;
                if line == Line::Empty {
                    return Ok(End::Reached);
                }
                State::FieldStart
            }
            _ => return Err(Rejection::Malformed),
        };
        Ok(End::Ahead)
    }

    fn line_read(&mut self, line: Line) -> Result<(), Rejection> {
        match line {
            Line::Request => {
                let mut line = mem::take(&mut self.line);
                let (method, target, persistence) = request_line(&line)?;
                line.truncate(target.end);
                line.drain(..target.start);
                let head = &mut self.head;
                (head.method, head.target, head.persistence) = (method, line, persistence);
            }
            Line::Field(Some(kept)) => {
                let value = mem::take(&mut self.line);
                self.field(kept, before_blanks(&value))?;
            }
            Line::Field(None) | Line::Empty => {}
        }
        Ok(())
    }

    fn field(&mut self, kept: Kept, value: &[u8]) -> Result<(), Rejection> {
        let head = &mut self.head;
        match kept {
            Kept::Authorization => once(&mut head.authorization, Authorization(value.to_vec())),
            // A list, and perhaps several of them; only one of its words is known here (RFC 9110 §7.6.1).
            Kept::Connection => {
                let close = |word: &[u8]| word.trim_ascii().eq_ignore_ascii_case(b"close");
                if value.split(|&byte| byte == b',').any(close) {
                    head.persistence = Persistence::Close;
                }
                Ok(())
            }
            Kept::ContentLength => once(&mut self.content_length, decimal(value)?),
            Kept::ContentType => once(&mut head.content_type, value.to_vec()),
            Kept::FetchDest => once(&mut head.fetch.dest, value.to_vec()),
            Kept::FetchMode => once(&mut head.fetch.mode, value.to_vec()),
            Kept::FetchSite => once(&mut head.fetch.site, value.to_vec()),
            Kept::Host => {
                head.host = match head.host {
                    Host::Missing => Host::One(value.to_vec()),
                    Host::One(_) | Host::Several => Host::Several,
                };
                Ok(())
            }
            Kept::Origin => once(&mut head.origin, value.to_vec()),
            // Browsers have used four names for it, some side by side; each one alone must be enough to be seen.
            Kept::Purpose => listed(&mut head.fetch.purpose, value),
            Kept::Forwarded => listed(&mut head.forwarded, value),
            Kept::ForwardedFor => listed(&mut head.forwarded_for, value),
            // Nobody who talks to this program needs it, and two readers may disagree about it (RFC 9112 §6.1).
            Kept::TransferEncoding => Err(Rejection::Malformed),
        }
    }
}

#[derive(Clone, Copy)]
enum State {
    /// After the CR of a line.
    Ending(Line),
    FieldStart,
    Name,
    Rejected(Rejection),
    RequestLine,
    /// Of a field that is kept, or of any other.
    Value(Option<Kept>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Empty,
    Field(Option<Kept>),
    Request,
}

/// The empty line that ends the head.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Ahead,
    Reached,
}

/// The fields whose values are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Authorization,
    Connection,
    ContentLength,
    ContentType,
    FetchDest,
    FetchMode,
    FetchSite,
    Forwarded,
    ForwardedFor,
    Host,
    Origin,
    Purpose,
    TransferEncoding,
}

impl Kept {
    fn named(name: &[u8]) -> Option<Self> {
        NAMES.iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name)).map(|&(_, kept)| kept)
    }
}

/// `METHOD SP target SP HTTP/1.x`, split at the first and the last space (RFC 9112 §3); of the target its place.
fn request_line(line: &[u8]) -> Result<(Method, Range<usize>, Persistence), Rejection> {
    let first = memchr(b' ', line).ok_or(Rejection::Malformed)?;
    let last = memrchr(b' ', line).ok_or(Rejection::Malformed)?;
    let target = line.get(first + 1..last).ok_or(Rejection::Malformed)?;
    if first == 0 || !line[..first].iter().all(|&byte| is_token(byte)) || target.is_empty() {
        return Err(Rejection::Malformed);
    }
    if memchr(b' ', target).is_some() {
        return Err(Rejection::Malformed);
    }
    let method = match &line[..first] {
        b"GET" => Method::Get,
        b"HEAD" => Method::Head,
        b"OPTIONS" => Method::Options,
        b"POST" => Method::Post,
        _ => Method::Other,
    };
    let persistence = match &line[last + 1..] {
        b"HTTP/1.0" => Persistence::Close,
        b"HTTP/1.1" => Persistence::KeepAlive,
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => return Err(Rejection::VersionNotSupported),
        _ => return Err(Rejection::Malformed),
    };
    Ok((method, first + 1..last, persistence))
}

/// `1*DIGIT` (RFC 9110 §8.6): no sign, no list, nothing beyond 64 bits.
fn decimal(value: &[u8]) -> Result<u64, Rejection> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| digits);
    text.and_then(|text| text.parse().ok()).ok_or(Rejection::Malformed)
}

/// Fills a field that has one value; a second line of it, even an equal one, is refused.
fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), Rejection> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Rejection::Malformed),
    }
}

/// Several lines of a list are one list (RFC 9110 §5.3).
fn listed(slot: &mut Option<Vec<u8>>, value: &[u8]) -> Result<(), Rejection> {
    match slot {
        Some(first) => {
            keep(first, b", ", LONGEST_VALUE, Rejection::FieldsTooLarge)?;
            keep(first, value, LONGEST_VALUE, Rejection::FieldsTooLarge)
        }
        none => once(none, value.to_vec()),
    }
}

/// Appends within a limit. Capacity doubles as in any vector, but not past the limit.
fn keep(buffer: &mut Vec<u8>, bytes: &[u8], limit: usize, beyond: Rejection) -> Result<(), Rejection> {
    let length = buffer.len() + bytes.len();
    if length > limit {
        return Err(beyond);
    }
    if length > buffer.capacity() {
        buffer.reserve_exact(length.max(2 * buffer.capacity()).min(limit) - buffer.len());
    }
    buffer.extend_from_slice(bytes);
    Ok(())
}

/// How many bytes at the front are of one kind.
fn run(bytes: &[u8], within: impl Fn(u8) -> bool) -> usize {
    // Whole chunks first, without a branch a byte.
    let all = |chunk: &&[u8]| chunk.iter().fold(true, |all, &byte| all & within(byte));
    let length = bytes.chunks_exact(CHUNK).take_while(all).count() * CHUNK;
    let rest = &bytes[length..];
    length + rest.iter().position(|&byte| !within(byte)).unwrap_or(rest.len())
}

/// Without the white space at its end.
fn before_blanks(value: &[u8]) -> &[u8] {
    &value[..value.iter().rposition(|&byte| !is_blank(byte)).map_or(0, |last| last + 1)]
}

/// Without the white space at its beginning.
fn after_blanks(value: &[u8]) -> &[u8] {
    &value[value.iter().take_while(|&&byte| is_blank(byte)).count()..]
}

/// Optional white space around a value (RFC 9110 §5.6.3).
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// May stand in a request line. Bytes of 0x80 and above pass: who relays them must not change them.
fn is_printable(byte: u8) -> bool {
    byte >= b' ' && byte != 0x7f
}

/// May stand in a value that is not ours to judge.
fn is_opaque(byte: u8) -> bool {
    !matches!(byte, b'\r' | b'\n' | 0)
}

/// `tchar` (RFC 9110 §5.6.2).
fn is_token(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b'^'..=b'z' | b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'|' | b'~')
}

pub(super) const NAMES: [(&str, Kept); 16] = [
    ("authorization", Kept::Authorization),
    ("connection", Kept::Connection),
    ("content-length", Kept::ContentLength),
    ("content-type", Kept::ContentType),
    ("forwarded", Kept::Forwarded),
    ("host", Kept::Host),
    ("origin", Kept::Origin),
    ("purpose", Kept::Purpose),
    ("sec-fetch-dest", Kept::FetchDest),
    ("sec-fetch-mode", Kept::FetchMode),
    ("sec-fetch-site", Kept::FetchSite),
    ("sec-purpose", Kept::Purpose),
    ("transfer-encoding", Kept::TransferEncoding),
    ("x-forwarded-for", Kept::ForwardedFor),
    ("x-moz", Kept::Purpose),
    ("x-purpose", Kept::Purpose),
];

/// Bytes that are judged together.
const CHUNK: usize = 16;

/// Bytes of the longest name in `NAMES`.
pub(super) const LONGEST_NAME: usize = 17;

/// Bytes of a value that is kept; a bearer token of a local provider is far shorter.
const LONGEST_VALUE: usize = 4 * 1024;
