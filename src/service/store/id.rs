//! Identifiers of rows and of lease owners: 128 random bits each.

use std::fmt;

/// One definition for three types that must not be confused.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// An identifier of 16 random bytes.
            pub const fn new(chance: [u8; 16]) -> Self {
                Self(chance)
            }

            /// Parses 32 hexadecimal digits in lower case.
            pub fn parse(text: &str) -> Option<Self> {
                let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
                if text.len() != 32 || !text.bytes().all(digit) {
                    return None;
                }
                u128::from_str_radix(text, 16).ok().map(|number| Self(number.to_be_bytes()))
            }

            /// The bytes, as they are stored.
            pub fn bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", u128::from_be_bytes(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

identifier! {
    /// A connection. Applications see it; it is never reused.
    ConnectionId
}
identifier! {
    /// A flow: `state` refers to it.
    FlowId
}
identifier! {
    /// The owner of a lease: one attempt of one process.
    LeaseOwner
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_has_one_spelling() {
        let id = ConnectionId::new([0xa7; 16]);
        assert_eq!(Some(id), ConnectionId::parse(&id.to_string()));
        assert_eq!(Some(ConnectionId::new([0; 16])), ConnectionId::parse(&"0".repeat(32)));
        let capitals = id.to_string().to_uppercase();
        let long = "a".repeat(33);
        let signed = format!("+{}", "a".repeat(31));
        for other in ["", "a7", capitals.as_str(), long.as_str(), signed.as_str()] {
            assert_eq!(None, ConnectionId::parse(other), "{other}");
        }
    }
}
