//! As much of the WebAssembly binary format (core specification, chapter 5) as it takes to count
//! imports and to weigh the code.

use std::fmt;

const PREAMBLE: &[u8] = b"\0asm\x01\0\0\0";
const IMPORT_SECTION: u8 = 2;
const CODE_SECTION: u8 = 10;

/// What a module asks of its host, and how much code it has.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// Imports as `module.name`, in file order.
    pub imports: Vec<String>,
    /// Bytes in the code section.
    pub code_bytes: usize,
}

/// Why bytes are not a module that can be judged.
#[derive(Debug, PartialEq, Eq)]
pub enum ParseError {
    /// Not WebAssembly, version 1.
    Preamble,
    /// The file ends inside a section.
    Truncated,
    /// A length does not fit in 32 bits.
    Length,
    /// An import of a kind that the specification does not know.
    ImportKind(u8),
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preamble => write!(f, "not a WebAssembly module (version 1)"),
            Self::Truncated => write!(f, "the module ends too early"),
            Self::Length => write!(f, "a length is out of range"),
            Self::ImportKind(kind) => write!(f, "unknown kind of import: {kind:#04x}"),
        }
    }
}

impl Module {
    /// Reads the sections of `bytes`.
    ///
    /// # Errors
    /// [`ParseError`] when `bytes` is not a well-formed sequence of sections, or its imports cannot be listed.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let mut reader = Reader(bytes.strip_prefix(PREAMBLE).ok_or(ParseError::Preamble)?);
        let mut module = Self::default();
        while !reader.0.is_empty() {
            let id = reader.byte()?;
            let section = reader.sized()?;
            match id {
                IMPORT_SECTION => module.imports.append(&mut read_imports(section)?),
                CODE_SECTION => module.code_bytes += section.len(),
                _ => {}
            }
        }
        Ok(module)
    }
}

fn read_imports(section: &[u8]) -> Result<Vec<String>, ParseError> {
    let mut reader = Reader(section);
    let mut imports = Vec::new();
    for _ in 0..reader.length()? {
        let module = String::from_utf8_lossy(reader.sized()?);
        let name = String::from_utf8_lossy(reader.sized()?);
        imports.push(format!("{module}.{name}"));
        reader.skip_description()?;
    }
    Ok(imports)
}

/// The unread rest of a module.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Result<u8, ParseError> {
        let (&first, rest) = self.0.split_first().ok_or(ParseError::Truncated)?;
        self.0 = rest;
        Ok(first)
    }

    /// An unsigned LEB128 number of at most 32 bits.
    fn length(&mut self) -> Result<usize, ParseError> {
        let number = self.leb128()?;
        u32::try_from(number)
            .ok()
            .and_then(|n| usize::try_from(n).ok())
            .ok_or(ParseError::Length)
    }

    fn leb128(&mut self) -> Result<u64, ParseError> {
        let mut number = 0u64;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(ParseError::Length)
    }

    /// A byte string with its length in front.
    fn sized(&mut self) -> Result<&'a [u8], ParseError> {
        let length = self.length()?;
        let (head, rest) = self.0.split_at_checked(length).ok_or(ParseError::Truncated)?;
        self.0 = rest;
        Ok(head)
    }

    fn skip_description(&mut self) -> Result<(), ParseError> {
        match self.byte()? {
            0x00 => self.leb128().map(drop),                      // function: type index
            0x01 => self.byte().and_then(|_| self.skip_limits()), // table: element type, limits
            0x02 => self.skip_limits(),                           // memory
            0x03 => self.byte().and_then(|_| self.byte()).map(drop), // global: type, mutability
            0x04 => self.byte().and_then(|_| self.leb128()).map(drop), // tag: attribute, type index
            kind => Err(ParseError::ImportKind(kind)),
        }
    }

    fn skip_limits(&mut self) -> Result<(), ParseError> {
        let has_maximum = self.byte()? & 1 == 1;
        self.leb128()?;
        if has_maximum {
            self.leb128()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module of the given sections (id, content), each shorter than 128 bytes.
    fn module(sections: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = PREAMBLE.to_vec();
        for (id, content) in sections {
            bytes.extend([*id, u8::try_from(content.len()).unwrap()]);
            bytes.extend(*content);
        }
        bytes
    }

    #[test]
    fn a_module_without_sections_imports_nothing() {
        assert_eq!(Module::parse(PREAMBLE), Ok(Module::default()));
    }

    #[test]
    fn every_kind_of_import_is_listed() {
        let imports = [
            &b"\x06"[..],
            b"\x03env\x03now\x00\x81\x01", // a function of type 129
            b"\x03env\x01t\x01\x70\x00\x01",
            b"\x03env\x01m\x02\x01\x01\x80\x80\x04",
            b"\x03env\x01g\x03\x7f\x00",
            b"\x03env\x01e\x04\x00\x05",
            b"\x00\x00\x00\x00",
        ]
        .concat();
        let bytes = module(&[(1, b"\x00"), (IMPORT_SECTION, &imports), (CODE_SECTION, &[0; 9])]);
        let parsed = Module::parse(&bytes).unwrap();
        assert_eq!(
            parsed.imports,
            ["env.now", "env.t", "env.m", "env.g", "env.e", "."]
        );
        assert_eq!(parsed.code_bytes, 9);
    }

    #[test]
    fn an_import_section_may_be_empty() {
        assert_eq!(
            Module::parse(&module(&[(IMPORT_SECTION, b"\x00")])),
            Ok(Module::default())
        );
    }

    #[test]
    fn a_module_cut_anywhere_inside_a_section_is_refused() {
        let bytes = module(&[(IMPORT_SECTION, b"\x01\x03env\x03now\x00\x05")]);
        for end in PREAMBLE.len() + 1..bytes.len() {
            assert_eq!(
                Module::parse(&bytes[..end]),
                Err(ParseError::Truncated),
                "cut at {end}"
            );
        }
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(Module::parse(b""), Err(ParseError::Preamble));
        assert_eq!(Module::parse(b"\0asm\x02\0\0\0"), Err(ParseError::Preamble));
        let kind = module(&[(IMPORT_SECTION, b"\x01\x00\x00\x09")]);
        assert_eq!(Module::parse(&kind), Err(ParseError::ImportKind(9)));
        let endless = [PREAMBLE, &[IMPORT_SECTION], &[0xff; 12]].concat();
        assert_eq!(Module::parse(&endless), Err(ParseError::Length));
    }
}
