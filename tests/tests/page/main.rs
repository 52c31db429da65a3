//! The pages, opened in a browser: it must have nothing to say about them, and nothing to mend. Without one the tests are
//! ignored; with `REQUIRE_BROWSER=1` they fail instead.

mod browser;
mod histories;

use std::process::ExitCode;

use conformance::{check::check, history::History, picture::page};
use libtest_mimic::{Arguments, Failed, Trial};

use browser::Browser;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let required = std::env::var("REQUIRE_BROWSER").is_ok_and(|value| value == "1");
    let browser = Browser::find();
    let trials = histories::all().into_iter().map(|(name, text)| match browser.clone() {
        Some(browser) => Trial::test(name, move || open(&browser, &text).map_err(Failed::from)),
        None if required => Trial::test(name, || Err("REQUIRE_BROWSER=1, but there is no Chromium".into())),
        None => Trial::test(name, || Ok(())).with_kind("no Chromium").with_ignored_flag(true),
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn open(browser: &Browser, text: &str) -> Result<(), String> {
    let history = History::read(text.as_bytes()).map_err(|error| error.to_string())?;
    let page = page(&history, &check(&history));
    let shown = browser.open(&page)?;
    // A browser closes what is left open, and leaves out what it does not know.
    let (written, read) = (elements(&page), elements(&shown));
    if written == read { Ok(()) } else { Err(format!("{written} elements were written, and {read} read")) }
}

/// The tags that open something.
fn elements(page: &str) -> usize {
    page.match_indices('<')
        .filter(|(at, _)| page[at + 1..].starts_with(|next: char| next.is_ascii_alphabetic()))
        .count()
}
