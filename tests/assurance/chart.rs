//! A chart of lines, times on a logarithmic scale, as SVG.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
/// Room for the scale's words.
const LEFT: f64 = 70.0;
const BOTTOM: f64 = 50.0;
const TOP: f64 = 50.0;
const RIGHT: f64 = 120.0;

/// One line.
pub struct Line {
    /// What it is, beside its end.
    pub name: &'static str,
    /// Its colour.
    pub colour: &'static str,
    /// Load, and milliseconds.
    pub points: Vec<(f64, f64)>,
}

/// The chart of these lines.
pub fn svg(title: &str, lines: &[Line]) -> String {
    let all = || lines.iter().flat_map(|line| line.points.iter().copied());
    let load_max = all().map(|(load, _)| load).fold(1.0, f64::max);
    let (floor, ceiling) = all()
        .fold((1.0_f64, 10.0_f64), |(floor, ceiling), (_, ms)| (floor.min(ms.max(0.1)), ceiling.max(ms)));
    let (floor, ceiling) = (floor.log10().floor(), ceiling.log10().ceil());
    let x = |load: f64| LEFT + load / load_max * (WIDTH - LEFT - RIGHT);
    let y = |ms: f64| {
        let part = (ms.max(0.1).log10() - floor) / (ceiling - floor);
        HEIGHT - BOTTOM - part * (HEIGHT - BOTTOM - TOP)
    };

    let mut out = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' font-family='sans-serif' \
         font-size='12'><rect width='100%' height='100%' fill='white'/><text x='{LEFT}' y='25' \
         font-size='15'>{title}</text>"
    );
    let mut power = floor;
    while power <= ceiling {
        let (ms, at) = (10_f64.powf(power), y(10_f64.powf(power)));
        let _ = write!(
            out,
            "<path d='M{LEFT} {at:.1}H{}' stroke='#ddd'/><text x='{}' y='{:.1}' text-anchor='end'>{ms} ms</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            at + 4.0
        );
        power += 1.0;
    }
    let mut loads: Vec<f64> = all().map(|(load, _)| load).collect();
    loads.sort_by(f64::total_cmp);
    loads.dedup();
    for load in loads {
        let _ = write!(
            out,
            "<text x='{:.1}' y='{}' text-anchor='middle'>{load}</text>",
            x(load),
            HEIGHT - BOTTOM + 18.0
        );
    }
    let _ = write!(
        out,
        "<text x='{}' y='{}' text-anchor='middle'>orders per second</text>",
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 10.0
    );
    for Line { colour, points, .. } in lines {
        let places: Vec<_> =
            points.iter().map(|(load, ms)| format!("{:.1},{:.1}", x(*load), y(*ms))).collect();
        let _ = write!(
            out,
            "<polyline points='{}' fill='none' stroke='{colour}' stroke-width='2'/>",
            places.join(" ")
        );
        for (load, ms) in points {
            let _ = write!(out, "<circle cx='{:.1}' cy='{:.1}' r='3' fill='{colour}'/>", x(*load), y(*ms));
        }
    }
    // The names stand beside the lines' ends, one below the other.
    let mut ends: Vec<_> = lines.iter().filter_map(|line| Some((y(line.points.last()?.1), line))).collect();
    ends.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut free = TOP;
    for (end, Line { name, colour, .. }) in ends {
        free = free.max(end + 4.0);
        let _ = write!(out, "<text x='{}' y='{free:.1}' fill='{colour}'>{name}</text>", WIDTH - RIGHT + 8.0);
        free += 14.0;
    }
    out.push_str("</svg>\n");
    out
}
