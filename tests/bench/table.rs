//! Measuring in turns, and printing the results.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Time for which a piece of work is repeated in each turn.
const STRETCH: Duration = Duration::from_millis(60);
/// Number of turns of each piece of work. A disturbance of the machine affects all of them alike.
const TURNS: usize = 15;

/// Returns how often per second each piece of work can be done: the median of its turns.
pub(crate) fn per_second<const N: usize>(mut works: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut rates: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..TURNS {
        for (work, rates) in works.iter_mut().zip(&mut rates) {
            let start = Instant::now();
            let mut done = 0_u32;
            while start.elapsed() < STRETCH {
                for _ in 0..8 {
                    black_box(&mut *work)();
                }
                done += 8;
            }
            rates.push(f64::from(done) / start.elapsed().as_secs_f64());
        }
    }
    rates.map(|mut rates| median(&mut rates))
}

pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

pub(crate) fn heading(text: &str) {
    println!("\n{text}");
}

/// Prints a row: name, rate per second, and ratio to the baseline.
pub(crate) fn row(name: &str, rate: f64, baseline: f64) {
    println!(
        "  {name:<34} {rate:>12.0} /s   {:>8.3} of the baseline",
        rate / baseline
    );
}
