//! What a script computes on.

use super::{MAX_ELEMENT_BYTES, ScriptError};
use alloc::vec::Vec;

/// Elements that the stack may hold after any instruction.
pub const MAX_STACK_DEPTH: usize = 100;

/// An element; never longer than [`MAX_ELEMENT_BYTES`], since only pushes make long ones.
pub(super) type Element = Vec<u8>;

/// Elements, last in first out.
#[derive(Default)]
pub(super) struct Stack(Vec<Element>);

impl Stack {
    pub(super) fn push(&mut self, element: Element) -> Result<(), ScriptError> {
        debug_assert!(element.len() <= MAX_ELEMENT_BYTES);
        if self.0.len() >= MAX_STACK_DEPTH {
            return Err(ScriptError::StackTooDeep);
        }
        self.0.push(element);
        Ok(())
    }

    /// Pushes the canonical true or false.
    pub(super) fn push_bool(&mut self, value: bool) -> Result<(), ScriptError> {
        self.push(if value { Vec::from([1]) } else { Vec::new() })
    }

    pub(super) fn pop(&mut self) -> Result<Element, ScriptError> {
        self.0.pop().ok_or(ScriptError::StackUnderflow)
    }

    /// Takes `count` elements; the first of them was on top.
    pub(super) fn pop_many(&mut self, count: usize) -> Result<Vec<Element>, ScriptError> {
        let kept = self
            .0
            .len()
            .checked_sub(count)
            .ok_or(ScriptError::StackUnderflow)?;
        Ok(self.0.drain(kept..).rev().collect())
    }

    pub(super) fn top(&self) -> Result<&Element, ScriptError> {
        self.0.last().ok_or(ScriptError::StackUnderflow)
    }

    pub(super) fn depth(&self) -> usize {
        self.0.len()
    }
}

/// Whether an element counts as true: any byte that is not zero, the sign bit of zero apart.
pub(super) fn is_true(element: &[u8]) -> bool {
    match element.split_last() {
        Some((last, lower)) => !matches!(last, 0 | 0x80) || lower.iter().any(|byte| *byte != 0),
        None => false,
    }
}
