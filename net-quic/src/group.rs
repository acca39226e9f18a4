//! Message types that share a budget.

/// What a message is about. Each group has a budget of its own, so that a flood of one kind spends
/// nothing of the others'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Headers and blocks, and asking for them.
    Chain,
    /// Transactions, and asking for them.
    Transactions,
    /// Jobs, deliveries and evidence.
    Jobs,
    /// Outsourced checks.
    Checks,
    /// Addresses of nodes, and asking for them.
    Addresses,
    /// Types from the future, and what is no envelope.
    Other,
}

impl Group {
    /// Every group, in the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::Chain,
        Self::Transactions,
        Self::Jobs,
        Self::Checks,
        Self::Addresses,
        Self::Other,
    ];

    /// The group of an envelope's type number.
    pub fn of_kind(kind: Option<u8>) -> Self {
        match kind {
            Some(0..=3 | 19..=22) => Self::Chain,
            Some(4..=6) => Self::Transactions,
            Some(7..=13) => Self::Jobs,
            Some(14..=16) => Self::Checks,
            Some(17..=18) => Self::Addresses,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use camelid_core::block::genesis_block;
    use camelid_core::keys::{NodeId, SecretKey};
    use camelid_core::params::Params;
    use camelid_core::primitives::{BoundedVec, Hash256, JobId};
    use camelid_core::wire::{CheckRefusal, Envelope, Matches, Message};

    /// The group of a message to all, which is also that of a message to one.
    fn group(message: &Message) -> Group {
        let own = NodeId::default();
        let [group, to_one] = [None, Some(own)].map(|recipient| {
            let envelope = Envelope::new([0; 4], own, recipient, 0, 0, message).expect("small");
            Group::of_kind(Envelope::peek_kind(&envelope.to_packet()))
        });
        assert_eq!(group, to_one);
        group
    }

    /// The numbers are the positions of the core's variants: first and last of each group.
    #[test]
    fn types_are_where_the_table_says() {
        let job = JobId::default();
        let request = Hash256::default();
        let block = genesis_block(&Params::simnet());
        let transaction = block.transactions[0].clone();
        let reason = CheckRefusal::Busy;
        let matches = Matches::new();
        let key = SecretKey::from_bytes([1; 32]).expect("a number below the order");
        for (message, expected) in [
            (Message::GetHeaders(BoundedVec::new()), Group::Chain),
            (Message::Block(Box::new(block)), Group::Chain),
            (Message::Inventory(BoundedVec::new()), Group::Transactions),
            (
                Message::Transaction(Box::new(transaction.clone())),
                Group::Transactions,
            ),
            (
                Message::JobAccepted {
                    job,
                    node_key: key.public_key(),
                },
                Group::Jobs,
            ),
            (Message::Engage(Box::new(transaction)), Group::Jobs),
            (Message::CheckReply { request, matches }, Group::Checks),
            (Message::CheckRefused { request, reason }, Group::Checks),
            (Message::GetAddresses, Group::Addresses),
            (Message::Addresses(BoundedVec::new()), Group::Addresses),
        ] {
            assert_eq!(group(&message), expected, "{message:?}");
        }
        assert_eq!(Group::of_kind(Envelope::peek_kind(b"no envelope")), Group::Other);
    }

    /// A type that is added to the core has to be put into a group here.
    #[test]
    fn every_type_of_the_core_has_a_group_and_no_other_has() {
        for kind in 0..=u8::MAX {
            let is_other = Group::of_kind(Some(kind)) == Group::Other;
            assert_eq!(is_other, kind >= Message::KINDS, "type {kind}");
        }
    }

    #[test]
    fn groups_are_numbered_in_order() {
        for (index, group) in Group::ALL.into_iter().enumerate() {
            assert_eq!(group as usize, index);
        }
    }
}
