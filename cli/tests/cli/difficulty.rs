//! `camelid sim difficulty`.

use crate::support::Place;
use std::path::Path;

#[test]
fn the_page_about_difficulty_is_what_the_command_prints() {
    let ran = Place::new().camelid("sim difficulty");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/difficulty.md");
    let page = std::fs::read_to_string(page).expect("the page about difficulty");
    assert!(
        page == ran.stdout,
        "run `make difficulty`; it prints\n{}",
        ran.stdout
    );
}
