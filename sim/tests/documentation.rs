//! What `docs/src/scenarios.md` says of scenarios is so.

mod support;

use camelid_sim::{event, run, strategy};
use std::path::Path;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/scenarios.md");
    std::fs::read_to_string(path).expect("the page about scenarios")
}

/// The page's complete example.
fn example(page: &str) -> &str {
    let mut blocks = page.split("```toml\n").skip(1);
    let (Some(block), None) = (blocks.next(), blocks.next()) else {
        panic!("the page has one example");
    };
    let (example, _) = block.split_once("```").expect("an end of the example");
    example
}

#[test]
fn the_complete_example_does_what_it_says() {
    let page = page();
    let scenario = support::parse(example(&page));
    assert_eq!(scenario.name, "silent-among-others");
    assert_eq!(run(&scenario, 0).report.violations, []);
}

#[test]
fn all_names_are_explained() {
    let page = page();
    let mut names: Vec<String> = strategy::names().map(String::from).collect();
    let attacks = |name: &String| !name.starts_with("attack:");
    names.extend(event::names().into_iter().filter(attacks));
    for name in names {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}
