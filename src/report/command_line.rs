//! Commands in messages, quoted for a shell. They repeat `--config` and `--store` of the command line that is running, so
//! that they reach the same configuration and the same store.

use std::sync::OnceLock;

/// The command line that is running.
#[derive(Debug, Default)]
pub struct Typed {
    /// All of its arguments.
    pub arguments: Vec<String>,
    /// The value of `--config`.
    pub config: Option<String>,
    /// The value of `--store`.
    pub store: Option<&'static str>,
}

static TYPED: OnceLock<Typed> = OnceLock::new();

impl Typed {
    /// Every command in a message repeats its `--config` and `--store` from now on.
    pub fn is_repeated(self) {
        // A process has one command line.
        let _ = TYPED.set(self);
    }

    fn global(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let config = self.config.as_deref().map(|file| ("--config", file));
        config.into_iter().chain(self.store.map(|kind| ("--store", kind)))
    }
}

/// A command of loopin.
pub fn command<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    of(TYPED.get(), words)
}

/// A command after a change that has written the store into the configuration: without `--store`.
pub fn configured_command<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let typed = Typed { config: TYPED.get().and_then(|typed| typed.config.clone()), ..Typed::default() };
    let words: Vec<&str> = words.into_iter().collect();
    of(Some(&typed), words)
}

fn of<'a>(typed: Option<&'a Typed>, words: impl IntoIterator<Item = &'a str>) -> String {
    let mut words: Vec<_> = ["loopin"].into_iter().chain(words).collect();
    for (option, value) in typed.into_iter().flat_map(Typed::global) {
        if !words.contains(&option) {
            words.extend([option, value]);
        }
    }
    line(words)
}

/// The command line that is running, with more arguments at its end.
pub fn typed_with(more: &[&str]) -> Option<String> {
    let arguments = TYPED.get()?.arguments.iter().map(String::as_str);
    Some(line(["loopin"].into_iter().chain(arguments).chain(more.iter().copied())))
}

fn line<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// As it is where no shell reads anything into it, else in single quotes.
pub(super) fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.+/=:,@%".contains(&b);
    // zsh replaces a word that begins with = by the path of a command.
    match !word.is_empty() && !word.starts_with('=') && word.bytes().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t07_words_are_quoted_where_a_shell_reads_something_into_them() {
        for plain in ["work", "--redirect-uri", "http://127.0.0.1:0/callback", "a=b", "me@home", "/a/b-c_d.toml"] {
            assert_eq!(plain, quoted(plain));
        }
        for (word, shown) in
            [("", "''"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("$HOME", "'$HOME'"), ("~", "'~'"), ("=ls", "'=ls'")]
        {
            assert_eq!(shown, quoted(word));
        }
    }

    #[test]
    fn t07_a_command_repeats_the_configuration_and_the_store_unless_it_names_its_own() {
        let typed = Typed { config: Some("my file.toml".into()), store: Some("keychain"), ..Typed::default() };
        assert_eq!("loopin status", of(None, ["status"]));
        assert_eq!("loopin status --config 'my file.toml' --store keychain", of(Some(&typed), ["status"]));
        assert_eq!(
            "loopin integration set work --store file --config 'my file.toml'",
            of(Some(&typed), ["integration", "set", "work", "--store", "file"])
        );
    }
}
