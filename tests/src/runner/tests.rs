//! The runner on clusters without nodes: which clusters it makes, and that whatever a case does is a verdict.

use std::{cell::RefCell, future::pending, rc::Rc, time::SystemTime};

use async_trait::async_trait;

use super::*;
use crate::{Ability, Case, Dialect, Failure, Node, Scenario, Shape, Suite, Traces, Unmade, groups, scenario::Topic};

const SHAPE: Shape = Shape::sharded(4, 2);

/// What is asked of the place where clusters come from: `+` one more, `-` one less, `!` one less on which a case failed.
#[derive(Clone, Default)]
struct Place {
    told: Rc<RefCell<String>>,
    broken: bool,
}

#[async_trait(?Send)]
impl Provider for Place {
    fn cannot(&self, _: Ability) -> Option<String> {
        Some("not here".to_owned())
    }

    async fn create(&self, _: &Shape) -> Result<Box<dyn Cluster>, Unmade> {
        if self.broken {
            return Err("it does not start".to_owned().into());
        }
        self.told.borrow_mut().push('+');
        Ok(Box::new(self.clone()))
    }
}

#[async_trait(?Send)]
impl Cluster for Place {
    fn dialect(&self) -> Dialect {
        Dialect::Seed2019
    }

    fn nodes(&self) -> &[Node] {
        &[]
    }

    async fn start(&mut self, _: usize) -> Result<(), Failure> {
        Ok(())
    }

    async fn kill(&mut self, _: usize) -> Result<(), Failure> {
        Ok(())
    }

    async fn stop(&mut self, _: usize) -> Result<Option<String>, Failure> {
        Ok(None)
    }

    async fn pause(&mut self, _: usize) -> Result<(), Failure> {
        Ok(())
    }

    async fn resume(&mut self, _: usize) -> Result<(), Failure> {
        Ok(())
    }

    async fn restart_empty(&mut self, _: usize) -> Result<(), Failure> {
        Ok(())
    }

    async fn add(&mut self) -> Result<usize, Failure> {
        Ok(0)
    }

    async fn cut(&mut self, _: &[(usize, usize)]) -> Result<(), Failure> {
        Ok(())
    }

    async fn traces(&mut self, _: SystemTime) -> Traces {
        Traces::default()
    }

    async fn remove(self: Box<Self>, failed: bool) -> Result<(), Failure> {
        self.told.borrow_mut().push(if failed { '!' } else { '-' });
        Ok(())
    }
}

struct Nobody;

impl Observer for Nobody {
    fn started(&self, _: &Case) {}
    fn finished(&self, _: &Outcome) {}
    fn remark(&self, _: &str) {}
}

fn scenario<F: AsyncFn(&mut Stage) -> Result<(), Failure> + 'static>(body: F) -> Scenario {
    Topic { suite: Suite::Assignment4, name: "topic", shape: SHAPE }.scenario("x must y", &[], body)
}

async fn passes(_: &mut Stage) -> Result<(), Failure> {
    Ok(())
}

async fn fails(stage: &mut Stage) -> Result<(), Failure> {
    stage.step("the last step");
    Err(Failure::new("more"))
}

#[expect(clippy::panic, reason = "that is what is tried")]
async fn panics(_: &mut Stage) -> Result<(), Failure> {
    panic!("a bug of the test")
}

async fn hangs(_: &mut Stage) -> Result<(), Failure> {
    pending().await
}

/// The verdicts of these scenarios, and what was asked of the place.
fn run(place: &Place, scenarios: Vec<Scenario>) -> (Vec<Verdict>, String) {
    let cases = scenarios.into_iter().map(|scenario| Case { scenario: Rc::new(scenario), dialect: Dialect::Seed2019 });
    let runner = Runner { provider: place, observer: &Nobody, clusters: 1, seed: 0, tidy: false };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let outcomes = runtime.block_on(runner.run(groups(cases.collect())));
    let told = place.told.borrow().clone();
    (outcomes.into_iter().map(|outcome| outcome.verdict).collect(), told)
}

fn explanation(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Failed(evidence) => evidence.failure.to_string(),
        other => other.name().to_owned(),
    }
}

#[test]
fn harmless_cases_share_a_cluster() {
    let (verdicts, told) = run(&Place::default(), vec![scenario(passes), scenario(passes), scenario(passes)]);
    assert_eq!(told, "+-");
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::Passed)));
}

#[test]
fn a_case_that_destroys_has_a_cluster_of_its_own() {
    let (_, told) = run(&Place::default(), vec![scenario(passes).destroys(), scenario(passes).destroys()]);
    assert_eq!(told, "+-+-");
}

#[test]
fn a_failure_is_told_with_its_step_and_the_others_go_on() {
    let (verdicts, told) = run(&Place::default(), vec![scenario(fails), scenario(passes)]);
    let failure = explanation(&verdicts[0]);
    assert!(failure.contains("expected more") && failure.contains("the last step"), "{failure}");
    assert!(matches!(verdicts[1], Verdict::Passed));
    assert!(told.ends_with('!'), "{told}");
}

#[test]
fn a_panic_is_a_verdict() {
    let (verdicts, _) = run(&Place::default(), vec![scenario(panics), scenario(passes)]);
    let failure = explanation(&verdicts[0]);
    assert!(failure.contains("a bug of the test"), "{failure}");
    assert!(matches!(verdicts[1], Verdict::Passed));
}

#[test]
fn a_case_that_hangs_is_a_verdict() {
    let (verdicts, _) = run(&Place::default(), vec![scenario(hangs).within(Duration::from_millis(20))]);
    assert!(explanation(&verdicts[0]).contains("an end within 20ms"));
}

#[test]
fn when_the_first_cluster_does_not_start_no_other_is_tried() {
    let place = Place { broken: true, ..Place::default() };
    let (verdicts, told) = run(&place, vec![scenario(passes), scenario(passes), scenario(passes).destroys()]);
    let names: Vec<&str> = verdicts.iter().map(Verdict::name).collect();
    assert_eq!(names.iter().filter(|name| **name == "without a cluster").count(), 1, "{names:?}");
    assert_eq!(names.iter().filter(|name| **name == "not tried").count(), 2, "{names:?}");
    assert_eq!(told, "");
}

#[test]
fn what_the_place_cannot_is_skipped_without_a_cluster() {
    let (verdicts, told) = run(&Place::default(), vec![scenario(passes).partitions()]);
    assert!(matches!(&verdicts[0], Verdict::Skipped(reason) if reason == "not here"));
    assert_eq!(told, "");
}
