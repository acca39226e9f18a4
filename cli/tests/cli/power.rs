//! `camelid rastic power`.

use crate::support::{Place, rastic_page};
use serde_json::Value;

fn power(args: &str) -> Value {
    let ran = Place::new().camelid(&format!("rastic power {args} --json"));
    assert_eq!(ran.code, 0, "{args}: {}", ran.stderr);
    serde_json::from_str(&ran.stdout).expect("one JSON object")
}

#[test]
fn the_object_has_the_promised_keys_in_order() {
    let ran = Place::new().camelid("rastic power --n 10 --k 2 --m 3 --mismatch-ppm 1000 --want 0.5 --json");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let (detection, rejection) = (8.0 / 15.0, 0.002_997_001);
    let expected = format!(
        r#"{{"schema":"camelid.rastic.power.v1","n":10,"k":2,"m":3,"detection":{detection},"false_rejection":{rejection},"samples_needed":3}}"#
    );
    assert_eq!(ran.stdout.trim_end(), expected);
}

#[test]
fn what_is_not_given_is_null() {
    for (args, absent) in [
        ("--m 3 --mismatch-ppm 10", "n k detection samples_needed"),
        ("--n 10 --k 2", "m detection false_rejection samples_needed"),
        ("--n 10 --k 2 --m 1", "false_rejection samples_needed"),
        (
            "--n 10 --m 2 --want 0.5",
            "k detection false_rejection samples_needed",
        ),
        ("", "n k m detection false_rejection samples_needed"),
    ] {
        let record = power(args);
        let nulls = record.as_object().expect("an object").iter();
        let nulls: Vec<&str> = nulls
            .filter(|(_, value)| value.is_null())
            .map(|(key, _)| key.as_str())
            .collect();
        let mut absent: Vec<&str> = absent.split(' ').collect();
        absent.sort_unstable();
        assert_eq!(nulls, absent, "{args}");
    }
}

#[test]
fn known_figures() {
    // The paper's one draw over 254 interior positions (hole H2), and 256 tokens at 0.1 % (hole H13).
    assert_eq!(power("--n 254 --k 1 --m 1")["detection"], 1.0 / 254.0);
    let rejection = power("--m 256 --mismatch-ppm 1000")["false_rejection"]
        .as_f64()
        .expect("a number");
    assert!((rejection - 0.226).abs() < 5e-4, "{rejection}");
    // One bad position among n needs want × n samples.
    assert_eq!(power("--n 1000000 --k 1 --want 0.25")["samples_needed"], 250_000);
    assert_eq!(power("--n 7 --k 0 --want 0.25")["samples_needed"], Value::Null);
    assert_eq!(power("--n 0 --k 0 --m 0")["detection"], 0.0);
    // ln(1 - d) = Σ ln(1 - k/(n-i)), a sum of a thousand floats, is good to 12 digits.
    let logarithm: f64 = (0..1_000)
        .map(|i| (1.0 - 1_000.0 / f64::from(1_000_000 - i)).ln())
        .sum();
    let detection = power("--n 1000000 --k 1000 --m 1000")["detection"]
        .as_f64()
        .expect("a number");
    assert!((detection + logarithm.exp_m1()).abs() < 1e-12, "{detection}");
}

#[test]
fn wrong_usage_exits_2() {
    let place = Place::new();
    for (args, why) in [
        ("", "Usage"),
        ("--n 10 --k 11", "--k 11 is more than --n 10"),
        ("--n 10 --m 11 --json", "--m 11 is more than --n 10"),
        ("--n 1000001 --k 1 --m 1", "1000001"),
        ("--m 1000001 --mismatch-ppm 1", "1000001"),
        ("--n -1", "-1"),
        ("--n 1.5", "1.5"),
        ("--n 10 --k 1 --want 1.1", "above 1"),
        ("--n 10 --k 1 --want 99%", "no decimal number"),
        ("--m 1 --mismatch-ppm 1000001", "1000001"),
    ] {
        let ran = place.camelid(&format!("rastic power {args}"));
        assert_eq!(ran.code, 2, "{args}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{args}");
        assert!(ran.stderr.contains(why), "{args}: {}", ran.stderr);
    }
}

#[test]
fn people_get_a_curve() {
    let ran = Place::new().camelid("rastic power --n 254 --k 3 --m 5 --want 0.99 --mismatch-ppm 1000");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for part in [
        "samples to detect 0.99",
        "5*",
        "██",
        "honest output rejected",
        "254 ",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
}

#[test]
fn the_page_shows_what_is_printed() {
    let place = Place::new();
    let args = "rastic power --n 254 --k 3 --m 8 --want 0.99";
    let words = place.camelid(&format!("{args} --mismatch-ppm 1000")).stdout;
    let (figures, _curve) = words.split_once("\n\n").expect("figures, and a curve");
    let record = place.camelid(&format!("{args} --json")).stdout;
    for part in [figures, record.trim_end()] {
        assert!(rastic_page().contains(part), "{part}");
    }
}
