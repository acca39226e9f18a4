//! What the fuzz targets in `fuzz/` do with the bytes they are given, and what an ordinary test does
//! with a committed corpus. Each function panics where the engine breaks a promise, and returns what
//! came of the input, so that a corpus can be seen to be no waste of time.

mod branches;
mod decoders;
mod scripts;

pub use branches::{Told, branches};
pub use decoders::{DECODERS, decoders};
pub use scripts::scripts;
