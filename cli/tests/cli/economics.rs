//! `camelid rastic economics`.

use crate::support::{Place, rastic_page};
use serde_json::Value;

fn economics(args: &str) -> Value {
    let ran = Place::new().camelid(&format!("rastic economics {args} --json"));
    assert_eq!(ran.code, 0, "{args}: {}", ran.stderr);
    serde_json::from_str(&ran.stdout).expect("one JSON object")
}

/// Reward 1, gain 0.9: what the protocol's analysis computes with.
const NINE_TENTHS: &str = "--gain 0.9 --reward 1";

#[test]
fn stakes_of_the_analysis() {
    let stake = |check: &str, detect: &str| {
        let args = format!("{NINE_TENTHS} --check-permille {check} --detect-permille {detect}");
        economics(&args)["min_stake"].clone()
    };
    assert_eq!(stake("50", "1000"), "17.00000000");
    // 3/256 is 11.71875 permille: the paper's three checks of 256 positions find one substitution.
    assert_eq!(stake("1000", "11.71875"), "75.80000000");
    assert_eq!(stake("50", "11.71875"), "1535.00000000");
    // Every job checked at every position: no stake at all.
    assert_eq!(stake("1000", "1000"), "0.00000000");
    // 0.9 / 0.007 - 1 = 127.571428571…, rounded up to a unit.
    assert_eq!(stake("7", "1000"), "127.57142858");
}

#[test]
fn the_object_has_the_promised_keys_in_order() {
    let args = "--check-permille 50 --detect-permille 1000 --verifiers 2 --colluding-permille 100 --false-slash-ppm 100 --cost 0.5";
    let ran = Place::new().camelid(&format!("rastic economics {NINE_TENTHS} {args} --json"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // 0.9 / (0.05 × 0.99) - 1 = 17.181818…; the false slashes of that stake cost 0.0000859… a job.
    let expected = concat!(
        r#"{"schema":"camelid.rastic.economics.v1","gain":"0.90000000","reward":"1.00000000","check_permille":50,"#,
        r#""detect_permille":1000,"verifiers":2,"colluding_permille":100,"false_slash_ppm":100,"cost":"0.50000000","#,
        r#""stake_suffices":true,"min_stake":"17.18181819","max_cost":"0.99991409","participates":true}"#
    );
    assert_eq!(ran.stdout.trim_end(), expected);
}

#[test]
fn without_checks_no_stake_suffices() {
    for args in [
        "--check-permille 0 --detect-permille 1000",
        "--check-permille 1000 --detect-permille 0",
        "--check-permille 1000 --detect-permille 1000 --verifiers 5 --colluding-permille 1000",
    ] {
        let record = economics(&format!("{NINE_TENTHS} {args} --cost 0"));
        assert_eq!(record["stake_suffices"], false, "{args}");
        for key in ["min_stake", "max_cost", "participates"] {
            assert_eq!(record[key], Value::Null, "{args}: {key}");
        }
        let ran = Place::new().camelid(&format!("rastic economics {NINE_TENTHS} {args}"));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.contains("none suffices"), "{}", ran.stdout);
    }
}

#[test]
fn honest_nodes_stay_away_from_false_slashes() {
    let with = |ppm: u32, cost: &str| {
        economics(&format!(
            "{NINE_TENTHS} --check-permille 50 --detect-permille 1000 --false-slash-ppm {ppm} --cost {cost}"
        ))
    };
    assert_eq!(with(0, "0.99999999")["participates"], true);
    assert_eq!(with(0, "1")["participates"], false);
    // q f S = 0.05 × 0.5 × 17 = 0.425.
    assert_eq!(with(500_000, "0.57499999")["participates"], true);
    assert_eq!(with(500_000, "0.575")["participates"], false);
    let everybody = with(1_000_000, "0");
    assert_eq!(everybody["max_cost"], "0.14999999");
}

#[test]
fn wrong_usage_exits_2() {
    let place = Place::new();
    for args in [
        "",
        "--gain 1 --reward 1 --check-permille 50",
        "--gain 1 --reward 1 --check-permille 1001 --detect-permille 1",
        "--gain -1 --reward 1 --check-permille 1 --detect-permille 1",
        "--gain 0.000000001 --reward 1 --check-permille 1 --detect-permille 1",
        "--gain 400000001 --reward 1 --check-permille 1 --detect-permille 1",
        "--gain 1 --reward 1 --check-permille 1 --detect-permille 1 --verifiers 3",
        "--gain 1 --reward 1 --check-permille 1 --detect-permille 1 --colluding-permille 3",
        "--gain 1 --reward 1 --check-permille 1 --detect-permille 1 --verifiers 0 --colluding-permille 3",
        "--gain 1 --reward 1 --check-permille 1 --detect-permille 1 --false-slash-ppm 1000001",
    ] {
        let ran = place.camelid(&format!("rastic economics {args}"));
        assert_eq!(ran.code, 2, "{args}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{args}");
    }
}

#[test]
fn the_page_shows_what_is_printed() {
    let args = "rastic economics --gain 0.9 --reward 1 --check-permille 50 --detect-permille 11.71875";
    assert!(rastic_page().contains(&format!("$ camelid {args}\n")));
    let ran = Place::new().camelid(&format!("{args} --json"));
    assert!(rastic_page().contains(ran.stdout.trim_end()), "{}", ran.stdout);
}
