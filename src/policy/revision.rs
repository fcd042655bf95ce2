//! The revision of a policy: a hash of what its document says, however it is written.

use std::{fmt, ops::Deref};

use super::document::{Member, Node, Value};

/// The revision of a policy, in hexadecimal digits: copied into what outlives the policy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Revision([u8; 16]);

impl Revision {
    /// FNV-1a of 64 bits over a canonical form: members sorted, no formatting, no `$schema`.
    pub(super) fn of(document: &Node) -> Self {
        let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
        match &document.value {
            Value::Object(members) => hash.object(members.iter().filter(|member| member.key != "$schema")),
            _ => hash.value(document),
        }
        let mut digits = [b'0'; 16];
        for (place, digit) in digits.iter_mut().zip(format!("{:016x}", hash.0).bytes()) {
            *place = digit;
        }
        Self(digits)
    }
}

impl Revision {
    pub(crate) fn digits(&self) -> &[u8] {
        &self.0
    }
}

impl Deref for Revision {
    type Target = str;

    fn deref(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

struct Fnv(u64);

impl Fnv {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// A text that no other text can continue.
    fn text(&mut self, kind: u8, text: &str) {
        self.bytes(&[kind]);
        self.bytes(text.as_bytes());
        // No UTF-8 has this byte.
        self.bytes(&[0xff]);
    }

    fn value(&mut self, node: &Node) {
        match &node.value {
            Value::BareBraces(_) | Value::OutOfRange | Value::Null => self.text(b'n', ""),
            Value::Bool(value) => self.text(b'b', if *value { "true" } else { "false" }),
            Value::Number(value) => self.text(b'd', &value.to_string()),
            Value::String(text) => self.text(b's', text),
            Value::Array(elements) => {
                self.bytes(b"[");
                for element in elements {
                    self.value(element);
                }
                self.bytes(b"]");
            }
            Value::Object(members) => self.object(members.iter()),
        }
    }

    fn object<'a>(&mut self, members: impl Iterator<Item = &'a Member>) {
        let mut members: Vec<_> = members.collect();
        members.sort_by(|a, b| a.key.cmp(&b.key));
        self.bytes(b"{");
        for member in members {
            self.text(b'k', &member.key);
            self.value(&member.value);
        }
        self.bytes(b"}");
    }
}
