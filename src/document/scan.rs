//! Scanning JSON: what is a value and where it ends. It does not recurse, and takes a byte of memory for each level of
//! what it passes over.

/// The text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken;

/// A JSON text, and how far it has been read: to a value, or to what follows one.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    /// Stands at the text's one value.
    pub(super) fn new(text: &'a str) -> Self {
        let mut scanner = Self { text, at: 0 };
        scanner.skip_space();
        scanner
    }

    /// Reads to the text's end, where nothing may follow.
    pub(super) fn end(&mut self) -> Result<(), Broken> {
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(Broken) }
    }

    pub(crate) fn is_at(&self, byte: u8) -> bool {
        self.peek() == Some(byte)
    }

    /// Passes over a value, whatever it is. Returns its JSON.
    pub(crate) fn value(&mut self) -> Result<&'a str, Broken> {
        let start = self.at;
        // What closes the levels that are open, the innermost last.
        let mut closing = Vec::new();
        loop {
            let is_complete = match self.peek() {
                Some(b'[') => self.opens_empty(b']', &mut closing),
                Some(b'{') => self.opens_empty(b'}', &mut closing),
                _ => self.scalar().map(|()| true)?,
            };
            // Each closing bracket completes a value, too.
            while is_complete && let Some(&bracket) = closing.last() {
                if self.goes_on(bracket)? {
                    break;
                }
                closing.pop();
            }
            match closing.last() {
                None => return Ok(&self.text[start..self.at]),
                Some(b'}') => {
                    self.key()?;
                }
                Some(_) => {}
            }
        }
    }

    /// Reads an object: each of its values by `each`, which is told the key's JSON. Returns the object's JSON.
    pub(super) fn members(
        &mut self,
        mut each: impl FnMut(&mut Self, &'a str) -> Result<(), Broken>,
    ) -> Result<&'a str, Broken> {
        let start = self.at;
        let mut is_over = self.opens_empty(b'}', &mut Vec::new());
        while !is_over {
            let key = self.key()?;
            each(self, key)?;
            is_over = !self.goes_on(b'}')?;
        }
        Ok(&self.text[start..self.at])
    }

    /// Reads an array: each of its elements by `each`.
    pub(super) fn elements(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        let mut is_over = self.opens_empty(b']', &mut Vec::new());
        while !is_over {
            each(self)?;
            is_over = !self.goes_on(b']')?;
        }
        Ok(())
    }

    /// Enters an array or an object. One that is empty is left again.
    fn opens_empty(&mut self, bracket: u8, closing: &mut Vec<u8>) -> bool {
        self.at += 1;
        self.skip_space();
        let is_empty = self.skip_if(|byte| byte == bracket);
        if !is_empty {
            closing.push(bracket);
        }
        is_empty
    }

    /// After a value: tells whether another follows before the closing bracket.
    fn goes_on(&mut self, bracket: u8) -> Result<bool, Broken> {
        self.skip_space();
        match self.next()? {
            b',' => {
                self.skip_space();
                Ok(true)
            }
            byte if byte == bracket => Ok(false),
            _ => Err(Broken),
        }
    }

    /// Reads a key and its colon.
    fn key(&mut self) -> Result<&'a str, Broken> {
        let start = self.at;
        if !self.is_at(b'"') {
            return Err(Broken);
        }
        self.string()?;
        let key = &self.text[start..self.at];
        self.skip_space();
        self.expect(b":")?;
        self.skip_space();
        Ok(key)
    }

    fn scalar(&mut self) -> Result<(), Broken> {
        match self.peek().ok_or(Broken)? {
            b'"' => self.string(),
            b't' => self.expect(b"true"),
            b'f' => self.expect(b"false"),
            b'n' => self.expect(b"null"),
            _ => self.number(),
        }
    }

    fn string(&mut self) -> Result<(), Broken> {
        self.at += 1;
        loop {
            self.skip_plain();
            match self.next()? {
                b'"' => return Ok(()),
                b'\\' => match self.next()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => (0..4).try_for_each(|_| self.one(|byte| byte.is_ascii_hexdigit()))?,
                    _ => return Err(Broken),
                },
                _ => return Err(Broken),
            }
        }
    }

    /// Passes over what stands for itself in a string, eight bytes at a time.
    fn skip_plain(&mut self) {
        let (words, _) = self.text.as_bytes()[self.at..].as_chunks();
        for word in words {
            let plain = count_plain(*word);
            self.at += plain;
            if plain < word.len() {
                return;
            }
        }
        while self.skip_if(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {}
    }

    fn number(&mut self) -> Result<(), Broken> {
        self.skip_if(|byte| byte == b'-');
        if !self.skip_if(|byte| byte == b'0') {
            self.digits()?;
        }
        if self.skip_if(|byte| byte == b'.') {
            self.digits()?;
        }
        if self.skip_if(|byte| matches!(byte, b'e' | b'E')) {
            self.skip_if(|byte| matches!(byte, b'+' | b'-'));
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Broken> {
        self.one(|byte| byte.is_ascii_digit())?;
        while self.skip_if(|byte| byte.is_ascii_digit()) {}
        Ok(())
    }

    fn expect(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        bytes.iter().try_for_each(|expected| self.one(|byte| byte == *expected))
    }

    fn one(&mut self, accepts: impl Fn(u8) -> bool) -> Result<(), Broken> {
        if self.skip_if(accepts) { Ok(()) } else { Err(Broken) }
    }

    fn skip_space(&mut self) {
        while self.skip_if(|byte| matches!(byte, b' ' | b'\n' | b'\t' | b'\r')) {}
    }

    fn skip_if(&mut self, accepts: impl Fn(u8) -> bool) -> bool {
        let is_next = self.peek().is_some_and(accepts);
        self.at += usize::from(is_next);
        is_next
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8, Broken> {
        let byte = self.peek().ok_or(Broken)?;
        self.at += 1;
        Ok(byte)
    }
}

/// Counts the bytes before the first that is a quote, a backslash or a control character.
fn count_plain(bytes: [u8; 8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let word = u64::from_le_bytes(bytes);
    // The upper bit of each byte below a bound of at most 128: right up to the first of them, after which subtracting has
    // borrowed.
    let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word & (ONES << 7);
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let special = below(word, b' ') | is(b'"') | is(b'\\');
    special.trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    fn scanned(text: &str) -> Result<&str, Broken> {
        let mut scanner = Scanner::new(text);
        let value = scanner.value()?;
        scanner.end()?;
        Ok(value)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn plain_bytes_are_counted_alike_at_once_and_one_by_one(
            bytes in proptest::array::uniform8(prop_oneof![
                2 => any::<u8>(),
                3 => b' '..=b'~',
                1 => proptest::sample::select(vec![0, 0x1f, b' ', b'!', b'"', b'#', b'[', b'\\', b']', 0x7f, 0x80, 0xff]),
            ]),
        ) {
            let special = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\');
            prop_assert_eq!(count_plain(bytes), bytes.iter().position(special).unwrap_or(8));
        }

        /// What serde's reader takes for JSON is, and nothing else.
        #[test]
        fn json_is_what_serde_says(
            text in proptest::collection::vec(
                prop_oneof![
                    4 => proptest::sample::select(vec![
                        "[", "]", "{", "}", ",", ":", "\"a\":", "\"", "\\", "\\u00e9", "\\ud8", " ", "\n", "0", "17",
                        "-", "+", ".", "1.5", "e", "E-3", "true", "null", "nul", "false", "\"x\"", "\"\\n\"", "é", "\t",
                        "\u{0}", "\u{a0}", "[]", "{}", "[1, 2]", "{\"k\": [3]}",
                    ]),
                    1 => proptest::sample::select(vec!["[1, {\"a\": \"b\"}, ", "{\"chain\": [", "]}", ", \"b\": 1.5e3}"]),
                ],
                0..12,
            ),
        ) {
            let text = text.concat();
            let expected = serde_json::from_str::<&RawValue>(&text).map(RawValue::get);
            prop_assert_eq!(scanned(&text).ok(), expected.ok(), "{}", text);
        }
    }
}
