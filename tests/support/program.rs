//! A program that is run, as both suites see it: its lines as they come, and what it left behind.

use std::{
    io::{BufRead, BufReader, Read},
    process::Output,
    sync::mpsc::{self, Receiver},
    thread,
};

/// What a run left behind.
#[derive(Debug)]
pub struct Finished {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    pub fn new(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    #[track_caller]
    pub fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(Some(code), self.code, "{self:#?}");
        self
    }

    #[track_caller]
    pub fn assert_says(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text) || self.stdout.contains(text), "\"{text}\" is not in {self:#?}");
        self
    }
}

/// Lines of a program that runs, as they come.
pub fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (send, lines) = mpsc::channel();
    thread::spawn(move || {
        BufReader::new(stream)
            .lines()
            .map_while(Result::ok)
            .take_while(|line| send.send(line.clone()).is_ok())
            .for_each(drop);
    });
    lines
}
