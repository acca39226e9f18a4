//! The holes of the paper and the attacks that scenarios name under `shows`, in a line each.

/// A group of entries with its heading.
pub struct Group {
    /// The heading.
    pub title: &'static str,
    /// Its entries, in the order of their ids.
    pub entries: &'static [Entry],
}

/// A hole of the paper or an attack.
pub struct Entry {
    /// Its id, as scenarios name it.
    pub id: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Why no scenario shows it, if none does.
    pub unshown: Option<&'static str>,
}

/// An entry that scenarios show.
const fn shown(id: &'static str, about: &'static str) -> Entry {
    Entry {
        id,
        about,
        unshown: None,
    }
}

/// An entry that no scenario shows.
const fn unshown(id: &'static str, about: &'static str, why: &'static str) -> Entry {
    Entry {
        id,
        about,
        unshown: Some(why),
    }
}

/// Everything that is known.
pub const CATALOGUE: &[Group] = &[
    Group {
        title: "Holes in the paper",
        entries: &[
            shown("H1", "The random position may lie in the user's own prompt"),
            shown("H2", "One interior position is looked at"),
            shown(
                "H3",
                "At the token limit two predictions for different prefixes are compared",
            ),
            shown("H4", "Who checks can echo what it is shown"),
            shown("H5", "Silence is proved by the absence of a message"),
            shown("H6", "Nobody says who draws the position"),
            shown(
                "H7",
                "The stake can be spent elsewhere while it should be at risk",
            ),
            shown("H8", "The payment waits unmined, and can be replaced"),
            shown("H9", "The miner chooses how long one may object"),
            shown("H10", "Nothing says what is inside the ciphertext"),
            shown("H11", "Checking may be skipped, and nobody pays for it"),
            shown("H12", "51 % of those who happen to vote decide"),
            shown("H13", "Tokens must be equal though machines round differently"),
            unshown(
                "H14",
                "The commitment has no salt, so a short output can be guessed from it",
                "the salt is part of the format: a commitment without one cannot be written down",
            ),
            shown("H15", "Nodes work before anybody has committed to pay"),
            shown("H16", "Disputes cost nothing"),
            shown("H17", "Messages are passed on without limit"),
        ],
    },
    Group {
        title: "Content of the output",
        entries: &[
            shown(
                "C01",
                "One token swapped and honestly continued, or all of them made up",
            ),
            shown("C02", "Two honest runs spliced"),
            shown("C03", "A token edited, and nothing computed anew"),
            shown("C04", "Cut short without an end token"),
            shown("C05", "An end token before the end"),
            shown("C06", "Padded to the limit"),
            shown("C07", "More tokens than were asked for"),
            shown("C08", "Repetition of the honest output's last tokens"),
            shown(
                "C09",
                "A draft model's output between an honest first and last token",
            ),
            shown("C10", "A smaller model"),
            shown("C11", "A coarser quantization"),
            shown("C12", "A cheaper computation from some position on"),
            shown("C13", "Part of the prompt dropped"),
            unshown(
                "C14",
                "Another tokenizer or template",
                "prompt and output are token ids, and the manifest names the tokenizer: text never enters the protocol",
            ),
            unshown(
                "C15",
                "Output tokenized anew before it is checked",
                "the commitment and all checks are about ids, and text never enters the protocol",
            ),
            shown("C16", "Other noise or another temperature than agreed"),
            unshown(
                "C17",
                "A seed chosen for the output that it leads to",
                "the seed is the client's to choose, and only a client in league with its node gains: it pays for that itself",
            ),
            shown("C18", "A cheat that stays within the tolerance"),
            unshown(
                "C19",
                "Prompts full of near-ties, to get honest nodes slashed",
                "prompts of scenarios are drawn, not written: see H13 for near-ties by chance, E05 for false claims",
            ),
            unshown(
                "C20",
                "Exact speculative decoding",
                "the output is the model's, token by token: nothing to find, and nothing to forbid",
            ),
        ],
    },
    Group {
        title: "Free-riding",
        entries: &[
            shown("R01", "A cached answer to the same question"),
            shown("R02", "Another node's commitment, copied"),
            shown("R03", "A checker or a seat that echoes the claimed tokens"),
            shown("R04", "A checker or a seat that does not check"),
            shown("R05", "A seat that copies another's vote"),
            shown("R06", "Checks that are used and not paid for"),
        ],
    },
    Group {
        title: "Challenge",
        entries: &[
            shown("B01", "The position can be foreseen"),
            unshown(
                "B02",
                "Commitments tried until the draw is kind",
                "the draw hangs on a block after the claim, so there is nothing to try; `V2` draws nothing",
            ),
            unshown(
                "B03",
                "A miner withholds a block to draw again",
                "no strategy for it yet; the bound is that reward and stake are at most the subsidy that a withheld block costs",
            ),
        ],
    },
    Group {
        title: "Protocol, economy and chain",
        entries: &[
            unshown(
                "E01",
                "Client and node are the same",
                "it pays fees and gains nothing, for no coin is issued for a job: there is nothing to show",
            ),
            shown("E02", "The output is withheld, or said to be"),
            shown("E03", "The client never engages"),
            shown("E04", "A delivery that does not open"),
            shown("E05", "False or endless disputes"),
            shown("E06", "A committee with interests of its own"),
            shown("E07", "A bribed committee"),
            shown(
                "E08",
                "Blocks taken back, or nodes cut off, in the middle of a job or dispute",
            ),
            shown("E09", "Miners who leave transactions out"),
            shown("E10", "Bent clocks and races against deadlines"),
            shown("E11", "The same coins or the same escrow used twice"),
            shown("E12", "Work accepted and not done"),
            shown("E13", "One stake behind several jobs"),
            shown("E14", "Floods and malformed packets"),
            shown("E15", "Committees that cannot decide"),
            shown("E16", "Evidence kept from the committee"),
        ],
    },
];
