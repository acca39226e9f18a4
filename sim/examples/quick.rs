use camelid_sim::{run, scenario::Scenario};
fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().unwrap();
    let (a, b): (u64, u64) = (
        args.next().unwrap().parse().unwrap(),
        args.next().unwrap().parse().unwrap(),
    );
    let s = match Scenario::load(path.as_ref()) {
        Ok(s) => s,
        Err(e) => {
            println!("{e}");
            return;
        }
    };
    for seed in a..b {
        let t = std::time::Instant::now();
        let r = run(&s, seed);
        println!(
            "{seed} {:?} ev={} {:?} hs={} {}ms trace={}K dig={:.8}",
            r.report.outcome,
            r.report.events,
            r.report.jobs,
            r.report.honest_slashed,
            t.elapsed().as_millis(),
            r.trace.len() / 1024,
            r.report.digest
        );
        for v in &r.report.violations {
            println!("   {} @{} {}", v.id, v.at_ms, v.message);
        }
        if std::env::var("COUNTS").is_ok() {
            println!("   {:?}", r.report.counts);
        }
        if std::env::var("REPLAY").is_ok() {
            let tr = camelid_sim::trace::Trace::read(&r.trace).unwrap();
            println!("   {:?}", camelid_sim::trace::replay(&tr));
        }
    }
}
